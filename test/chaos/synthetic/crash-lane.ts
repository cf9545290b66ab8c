import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemFileSystem } from '../../../src/file-system.js';
import { recoverInstall } from '../../../src/profile/install.js';
import { readFakeProfile, writeFakeProfile } from '../../../src/testing/fake-profile.js';
import type { Dice } from '../../support/dice.js';
import type { Order } from '../children/synthetic-session.js';
import type { SyntheticChild } from './child.js';
import { CRASH_OPERATIONS, type CrashOperation, type CrashReport } from './crash.js';
import type { KillMoments } from './crash-moments.js';
import { findLeftovers, type Leftovers } from './leftovers.js';
import { ABSENT, CLIENT_ID, digestOfProfile, placesIn, seeSnapshots, writeBlobs } from './world.js';

const fs = systemFileSystem;
/** For the session and for the profile each: one file in use, and one that a killed process could not remove. */
const MAX_LEASE_FILES = 4;
const LOOKS = 10;

export interface CrashLaneParts {
  readonly folder: string;
  readonly dice: Dice;
  readonly report: CrashReport;
  readonly nextChild: () => SyntheticChild;
  readonly isRemote: boolean;
  readonly moments: KillMoments;
  /** The number of remaining kills of each operation; counted down here. */
  readonly left: Map<CrashOperation, number>;
}

/** Makes the kills of one bot's folder, one after the other. */
export class CrashLane {
  readonly #parts: CrashLaneParts;
  readonly #places: ReturnType<typeof placesIn>;
  /** The digests of complete profiles. */
  readonly #known = new Set<string>();
  #generation = 0;
  #pairings = 0;
  /** Whether the login may be gone because a clear() was begun. */
  #mayPair = true;
  /** The digest that the next start must find and keep, because nothing has touched the profile. */
  #untouched: string | undefined;
  #now: CrashOperation = 'start';

  constructor(parts: CrashLaneParts) {
    this.#parts = parts;
    this.#places = placesIn(parts.folder);
  }

  /** Brings the bot up, begins an operation, kills the bot, and checks what is left. */
  async killOnce(): Promise<void> {
    const operation = await this.#choose();
    this.#now = operation;
    const isCold = operation === 'prune' || operation === 'start';
    const child = this.#parts.nextChild();
    try {
      await child.obey(this.#opening(operation === 'prune' ? 1 : 4));
      if (!isCold) await this.#startAsAsked(child);
      // That start may have gone on with a clear() and deleted what there was to restore.
      if (operation === 'restore' && (await this.#look()).snapshots.length === 0) return;
      await this.#killDuring(operation, child);
    } catch (error) {
      this.#violated(`the run broke: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await child.kill();
    }
  }

  /** Makes a last start and a complete prune, after which nothing may be left behind. */
  async finish(): Promise<void> {
    const child = this.#parts.nextChild();
    try {
      await child.obey(this.#opening(4));
      await this.#startAsAsked(child);
      const pruned = await child.obey({ call: 'prune' });
      if (pruned.error !== undefined) this.#violated(`prune() failed: ${pruned.error}`);
      const { orphans, snapshots } = await this.#look();
      const { staleRecords } = await this.#leftAfterAMoment(new Set(snapshots.map(({ id }) => id)));
      // From a remote store they go an hour later.
      if (orphans > 0 && !this.#parts.isRemote)
        this.#violated(`${orphans} objects that nobody needs survive a prune()`);
      if (staleRecords > 0)
        this.#violated(`${staleRecords} records of snapshots that are gone survive a prune()`);
    } finally {
      await child.kill();
    }
  }

  // A lost profile, or an older snapshot, can be restored only if there is such a snapshot.
  async #choose(): Promise<CrashOperation> {
    const { left, dice, folder } = this.#parts;
    const { snapshots } = await seeSnapshots(fs, folder);
    const possible = CRASH_OPERATIONS.filter(
      (operation) => snapshots.length > 0 || !['restore', 'prune', 'start', 'clear'].includes(operation),
    );
    // An operation with more remaining kills is more likely, so that all run out at about the same time.
    const cards = possible.flatMap((operation) =>
      Array.from({ length: Math.max(0, left.get(operation) ?? 0) }, () => operation),
    );
    return cards.length > 0 ? dice.pick(cards) : 'save';
  }

  /** Starts the bot after a kill: it must show no QR, unless the login was being cleared, and leave nothing behind. */
  async #startAsAsked(child: SyntheticChild): Promise<void> {
    const started = await child.obey({ call: 'initialize' });
    if (started.error !== undefined) throw new Error(`initialize() failed: ${started.error}`);
    if (started.codes > 0 && !this.#mayPair) this.#violated('the next start showed a QR');
    if (started.codes > 0) {
      await child.obey({ call: 'scan' });
      this.#pairings++;
    } else {
      const digest = await this.#digest();
      if (!this.#known.has(digest)) this.#violated('the profile is of no known generation after the start');
      if (this.#untouched !== undefined && digest !== this.#untouched) {
        this.#violated(`a sound profile was replaced at the start: ${started.heard.join(' | ')}`);
      }
    }
    this.#untouched = undefined;
    this.#mayPair = false;
    await this.#assertTidy();
    await this.#writeGeneration();
  }

  async #killDuring(operation: CrashOperation, child: SyntheticChild): Promise<void> {
    const { dice, report } = this.#parts;
    const tally = report.tallies[operation];
    if (operation === 'start') await rm(this.#places.profileDir, { recursive: true, force: true });
    const moving = operation === 'import' ? await this.#leaveOldSession() : undefined;
    const before = { digest: await this.#digest(), ...(await this.#look()) };
    const order = this.#orderOf(
      operation,
      before.snapshots.map(({ id }) => id),
    );
    // The profile was taken away, and the only snapshots may be those of an import that was killed.
    if (operation === 'start' && !(await this.#hasOwn(before))) this.#mayPair = true;
    const { ended } = await child.begin(order);
    const outcome = await this.#parts.moments.until(operation, ended, dice);
    await child.kill();
    if (outcome?.error !== undefined) this.#violated(`it failed without a kill: ${outcome.error}`);
    if (operation === 'clear') this.#mayPair = true;

    await recoverInstall(this.#places.profileDir, { fs });
    const after = { digest: await this.#digest(), ...(await this.#look()) };
    const keeps = ['save', 'backup', 'prune'].includes(operation) && after.digest !== ABSENT;
    this.#untouched = keeps ? after.digest : undefined;
    this.#judge(operation, before, after, 'snapshotId' in order ? order.snapshotId : undefined, moving);
    if (moving !== undefined && moving !== (await digestOfProfile(fs, this.#places.oldSession))) {
      this.#violated('the old session was changed');
    }
    tally.kills++;
    this.#parts.left.set(operation, (this.#parts.left.get(operation) ?? 0) - 1);
    if (outcome !== undefined) tally.finished++;
    const isNew = before.digest !== after.digest || idsOf(before) !== idsOf(after);
    if (isNew) tally.newState++;
    else tally.oldState++;
  }

  /** Whether a snapshot is of the login that the record beside the profile names. */
  async #hasOwn({ snapshots }: Seen): Promise<boolean> {
    const text = await fs.promises
      .readFile(join(this.#places.sideDir, 'session.json'), 'utf8')
      .catch(() => '{}');
    const { lineage } = JSON.parse(text) as { lineage?: string };
    return lineage === undefined || snapshots.some((snapshot) => snapshot.lineage === lineage);
  }

  /** Leaves the same login as another system stores it, in a new generation. Resolves to its digest. */
  async #leaveOldSession(): Promise<string> {
    const { oldSession, profileDir } = this.#places;
    const login = await readFakeProfile(fs, profileDir);
    if (!login) throw new Error('the profile holds no login');
    await rm(oldSession, { recursive: true, force: true });
    await writeFakeProfile(fs, oldSession, { ...login, note: `old ${++this.#generation}` });
    const digest = await digestOfProfile(fs, oldSession);
    this.#known.add(digest);
    return digest;
  }

  #judge(
    operation: CrashOperation,
    before: Seen,
    after: Seen,
    restored: string | undefined,
    moving: string | undefined,
  ): void {
    const lost = before.snapshots.filter(({ id }) => !after.snapshots.some((kept) => kept.id === id));
    const digestOfId = (id: string | undefined) => before.snapshots.find((one) => one.id === id)?.digest;
    const allowed = new Set([before.digest]);
    if (operation === 'clear') allowed.add(ABSENT);
    if (moving !== undefined) allowed.add(moving);
    if (operation === 'restore') allowed.add(digestOfId(restored) ?? ABSENT);
    if (operation === 'start') for (const { digest } of before.snapshots) allowed.add(digest);
    if (!allowed.has(after.digest)) {
      this.#violated(`the profile is neither the old one nor the new one (${after.digest.slice(0, 12)})`);
    }
    if (operation === 'clear' && after.digest === ABSENT && after.snapshots.length > 0) {
      this.#violated('the profile is cleared, and snapshots of it are still listed');
    }
    // A start goes on with a clear() that was killed.
    const isClearing = operation === 'clear' || (operation === 'start' && this.#mayPair);
    if (lost.length > 0 && !isClearing && operation !== 'prune') {
      const newest = before.snapshots.reduce((a, b) => (a.createdAt > b.createdAt ? a : b));
      if (operation !== 'save' && operation !== 'backup') this.#violated(`${lost.length} snapshots are gone`);
      else if (lost.some(({ id }) => id === newest.id)) this.#violated('the newest snapshot is gone');
    }
    if (operation === 'prune' && after.snapshots.length === 0) this.#violated('prune() took every snapshot');
  }

  #orderOf(operation: CrashOperation, ids: readonly string[]): Order {
    if (operation === 'restore') return { call: 'restore', snapshotId: this.#parts.dice.pick(ids) };
    if (operation === 'import') return { call: 'import', from: this.#places.oldSession };
    return { call: operation === 'start' ? 'initialize' : operation };
  }

  #opening(keepLast: number): Order {
    const { authPath, sessionPath, backupPath } = this.#places;
    return {
      call: 'open',
      authPath,
      sessionPath,
      backupPath,
      clientId: CLIENT_ID,
      keepLast,
      pairings: this.#pairings,
      isRemote: this.#parts.isRemote,
    };
  }

  /** Writes what the browser writes while the bot works: each generation is different and complete. */
  async #writeGeneration(): Promise<void> {
    const { profileDir } = this.#places;
    const login = await readFakeProfile(fs, profileDir);
    if (!login) throw new Error('the profile holds no login');
    this.#generation++;
    await writeFakeProfile(fs, profileDir, { ...login, note: `generation ${this.#generation}` });
    await writeBlobs(fs, profileDir, this.#generation);
    this.#known.add(await this.#digest());
  }

  async #look() {
    const seen = await seeSnapshots(fs, this.#parts.folder);
    for (const problem of seen.problems) this.#violated(problem);
    for (const { digest } of seen.snapshots) this.#known.add(digest);
    return seen;
  }

  async #assertTidy(): Promise<void> {
    const { report } = this.#parts;
    const seen = await this.#look();
    const left = await this.#leftAfterAMoment(new Set(seen.snapshots.map(({ id }) => id)));
    if (left.strange.length > 0) this.#violated(`left behind: ${left.strange.slice(0, 3).join(', ')}`);
    if (left.leaseFiles > MAX_LEASE_FILES) this.#violated(`${left.leaseFiles} lease files`);
    const { most } = report;
    most.orphans = Math.max(most.orphans, seen.orphans);
    most.leaseFiles = Math.max(most.leaseFiles, left.leaseFiles);
    most.quarantined = Math.max(most.quarantined, left.quarantined);
    most.files = Math.max(most.files, left.files);
    most.staleRecords = Math.max(most.staleRecords, left.staleRecords);
  }

  /** Checks again after a moment, because the record may just be written through a temporary file. */
  async #leftAfterAMoment(ids: ReadonlySet<string>): Promise<Leftovers> {
    for (let look = 0; ; look++) {
      const left = await findLeftovers(fs, this.#parts.folder, ids, this.#parts.isRemote);
      if (left.strange.length === 0 || look === LOOKS) return left;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #digest(): Promise<string> {
    return digestOfProfile(fs, this.#places.profileDir);
  }

  #violated(what: string): void {
    const { report, folder } = this.#parts;
    report.tallies[this.#now].violations++;
    (report.violations as string[]).push(
      `${this.#now}, generation ${this.#generation}: ${what.replaceAll(folder, '')}`,
    );
  }
}

interface Seen extends Awaited<ReturnType<typeof seeSnapshots>> {
  readonly digest: string;
}

function idsOf({ snapshots }: Seen): string {
  return snapshots
    .map(({ id }) => id)
    .sort()
    .join();
}
