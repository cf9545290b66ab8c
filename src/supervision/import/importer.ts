import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describeError, ProfileLockedError, ProfileUnsoundError, SessionError } from '../../errors.js';
import { captureTask } from '../../profile/capture-task.js';
import {
  isMarkedAsMoved,
  type MovedNote,
  markAsMoved,
  movedMarkerOf,
  readMovedNote,
} from '../../profile/import/moved-marker.js';
import { type OldSession, placeOf, profileOf } from '../../profile/import/old-session.js';
import { assertUntouched, assertUnused, lookAt } from '../../profile/import/source-use.js';
import { resolveLinks } from '../../profile/links.js';
import { hashFilesTask } from '../../snapshot/hashing/hashing.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import { contentDigest } from '../../snapshot/manifest/manifest.js';
import { importZipTask } from '../../snapshot/zip/import-zip.js';
import type { CapturedTree, SnapshotManifest } from '../../types.js';
import { isAlive } from '../browser/browser-owner.js';
import { isClaimedHere } from '../browser/profiles-in-use.js';
import { START_PATIENCE_MS, StorePatience } from '../context/ask-stores.js';
import { fencingNumberOf, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { holdForFormerOwners } from '../login/former-owners.js';
import { holdReplaced } from '../login/hold-replaced.js';
import { makeWay } from '../ownership/profile-holders.js';
import { type ImportMark, importedLineage, newLineageAfter } from '../record/lineage.js';
import type { FormerOwner } from '../record/record-owner.js';
import type { Restorer } from '../restore/restorer.js';
import { assertOfItsName } from './assert-of-its-name.js';
import { formerOwnerOf } from './former-owner-of.js';

/** A complete, sound copy of an old session in a staging folder. */
interface Taken {
  readonly tree: CapturedTree;
  /** The manifest, when the source is one of our own backups. */
  readonly manifest?: SnapshotManifest | undefined;
  readonly dataVersion?: string | undefined;
  /** SHA-256, hex, of how the source looked, to detect later changes. */
  readonly look: string;
}

export interface ImporterParts {
  readonly snapshots: SessionSnapshots;
  readonly restorer: Restorer;
}

/**
 * Imports the login of another system. The login is copied and never moved, and problems are found before this
 * session changes.
 * The copy becomes a snapshot with its own lineage, which is then restored. After that it is a login like any other,
 * and a crash on the way is handled like one during a save or a restore.
 */
export class Importer {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #restorer: Restorer;

  constructor(context: SessionContext, { snapshots, restorer }: ImporterParts) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#restorer = restorer;
  }

  /**
   * Checks whether the session can be imported: copies and checks it, and keeps nothing. Resolves to its
   * `contentDigest`.
   *
   * @throws ProfileLockedError, ProfileUnsoundError, SnapshotCorruptError, SnapshotUnsafeError
   */
  assertFit(session: OldSession, signal: AbortSignal): Promise<string> {
    return this.#withCopy(session, signal, (taken) => this.#contentOf(taken, signal));
  }

  /**
   * Puts the session in place of the profile. The browser must be closed and the lease held.
   *
   * @throws as {@link assertFit}, and StoreError; the profile is then unchanged
   */
  async take(session: OldSession, signal: AbortSignal): Promise<LocatedSnapshot> {
    const replaced = await this.#ownLineages();
    const { snapshot, taken, manifest } = await this.#withCopy(session, signal, async (copy) => {
      const content = await this.#contentOf(copy, signal);
      const mark = { content, place: placeOf(session) };
      const taken = { look: copy.look, content };
      return { snapshot: await this.#store(copy, mark, signal), taken, manifest: copy.manifest };
    });
    try {
      await this.#restorer.restore(snapshot, 'imported', signal);
    } catch (error) {
      await this.#withdraw(snapshot);
      throw error;
    }
    await this.#remember(snapshot.info.lineage, await formerOwnerOf(this.#context, session, manifest));
    await holdForFormerOwners(this.#context);
    await holdReplaced(this.#context, replaced);
    await this.mark(session, { snapshot: snapshot.info.id, taken });
    this.#context.announce('session:imported', { from: session.path, snapshot: snapshot.info });
    return snapshot;
  }

  /** The logins that a start without the import would have used; also those of a bot that has moved here. */
  async #ownLineages(): Promise<readonly string[]> {
    const patience = new StorePatience(this.#context.clock, START_PATIENCE_MS);
    const { ours } = await this.#snapshots.sorted(patience).catch(() => ({ ours: [] }));
    return ours.map(({ info }) => info.lineage);
  }

  /**
   * Writes a note beside an old session that it was dealt with. Never rejects, because without the note it is only
   * offered again.
   */
  async mark(session: OldSession, made: Pick<MovedNote, 'snapshot' | 'taken'> = {}): Promise<void> {
    const { fs, clientId, clock, warn } = this.#context;
    const note =
      made.snapshot === undefined
        ? 'clear() was called: this old session is not imported automatically.'
        : 'wwebjs-persistent-session has imported this session. Do not start it here any more: two clients with ' +
          'one login end in a conflict. To go back, stop the new bot first, and delete this file.';
    const at = new Date(clock.now()).toISOString();
    try {
      await markAsMoved(this.#markerOf(session), { note, clientId, at, ...made }, { fs });
    } catch (error) {
      warn(
        'cleanup-failed',
        `the old session at ${session.path} could not be marked as moved: ${describeError(error).message}`,
      );
    }
  }

  /**
   * Reads the note about an earlier import by this bot, if there is one. `taken` is the digest of what was imported then, and
   * `content` that of the session now, given only while it looks unchanged since then.
   */
  async noteOf(
    session: OldSession,
  ): Promise<{ readonly snapshot: string; readonly taken?: string; readonly content?: string } | undefined> {
    const { fs, clientId } = this.#context;
    const note = await readMovedNote(this.#markerOf(session), { fs });
    if (note?.snapshot === undefined || note.clientId !== clientId) return undefined;
    const { snapshot, taken } = note;
    const isAsItWas = taken !== undefined && sha256((await lookAt(session, { fs })).text) === taken.look;
    return {
      snapshot,
      ...(taken !== undefined && { taken: taken.content }),
      ...(isAsItWas && { content: taken.content }),
    };
  }

  isMarked(session: OldSession): Promise<boolean> {
    return isMarkedAsMoved(this.#markerOf(session), this.#context);
  }

  #markerOf({ path }: OldSession): string {
    return movedMarkerOf(path, this.#context.options.sessionPath);
  }

  /** Gives a sound copy to `work`, after making sure that nobody used the original meanwhile. */
  async #withCopy<Result>(
    session: OldSession,
    signal: AbortSignal,
    work: (taken: Taken) => Promise<Result>,
  ): Promise<Result> {
    const { folders, fs, clock } = this.#context;
    const use = { fs, clock, hostname: hostname(), isAlive, signal };
    await this.#assertNotOfThisProcess(session, signal);
    await assertUnused(session, use);
    const before = await lookAt(session, use);
    const copy = await folders.createStaging();
    const unpacked = await folders.createStaging();
    try {
      const taken = await this.#copy(session, unpacked, copy, signal);
      await assertUntouched(session, before, use);
      return await work({ ...taken, look: sha256(before.text) });
    } finally {
      await folders.removeStaging(unpacked);
      await folders.removeStaging(copy);
    }
  }

  async #copy(
    session: OldSession,
    unpacked: string,
    copy: string,
    signal: AbortSignal,
  ): Promise<Omit<Taken, 'look'>> {
    const { runner } = this.#context;
    const { kind, path } = session;
    const zip =
      kind === 'zip' ? await runner.run(importZipTask, { path, directory: unpacked }, { signal }) : undefined;
    if (zip !== undefined) assertOfItsName(session, zip);
    const manifest = zip?.manifest;
    const capture = {
      profileDir: kind === 'zip' ? unpacked : path,
      targetDir: copy,
      mode: 'cold',
      links: kind === 'zip', // unpacked files are ours; with an old session we share not even an inode
    } as const;
    const { tree, report, dataVersion } = await runner.run(captureTask, capture, { signal });
    if (report.verdict === 'sound') return { tree, manifest, dataVersion };
    const findings = report.findings.map(({ file, problem }) => `${file}: ${problem}`).join('; ');
    throw new ProfileUnsoundError(
      `the old session is ${report.verdict}, and is not imported${findings && `: ${findings}`} (${path})`,
    );
  }

  async #contentOf({ tree }: Taken, signal: AbortSignal): Promise<string> {
    const paths = tree.files.map(({ path }) => join(tree.directory, path));
    const hashes = await this.#context.runner.run(hashFilesTask, { paths }, { signal });
    return contentDigest(
      tree.files.map(({ path, size }, index) => ({ path, size, sha256: hashes[index]?.sha256 ?? '' })),
    );
  }

  // The name of the lineage tells the stores of the import, as long as they have anything of it.
  async #remember(lineage: string, former: FormerOwner | undefined): Promise<void> {
    const { record, warn } = this.#context;
    const { imported: before = [], formerOwners = [] } = record.current;
    const imported = [...before.filter((one) => one !== lineage), lineage];
    const added = former && { formerOwners: [...formerOwners, former] };
    await record.update({ imported, ...added }).catch((error: unknown) => {
      warn('cleanup-failed', `the import was not noted: ${describeError(error).message}`);
    });
  }

  async #store(
    { tree, manifest, dataVersion }: Taken,
    mark: ImportMark,
    signal: AbortSignal,
  ): Promise<LocatedSnapshot> {
    const { clientId, profile, saves, assertOwned, state } = this.#context;
    await assertOwned();
    const lineage = importedLineage(newLineageAfter(this.#context), mark);
    // A backup of this bot also lists what the bot had imported before it was moved.
    const own = manifest?.clientId === clientId ? [manifest] : [];
    const stored = await saves.create(
      tree,
      {
        clientId,
        profile,
        lineage,
        run: 0,
        ...(manifest?.account !== undefined && { account: manifest.account }),
        createdAt: await this.#snapshots.nextCaptureTime(),
        capture: 'cold',
        // Unknown for other systems, but the check has confirmed that both halves exist.
        settled: manifest?.settled ?? true,
        state: state(),
        ...(manifest?.browserVersion !== undefined && { browserVersion: manifest.browserVersion }),
        ...(dataVersion !== undefined && { dataVersion }),
        ...this.#snapshots.importsBefore(lineage, own),
        generation: fencingNumberOf(this.#context),
      },
      { signal },
    );
    if ('skipped' in stored) throw new SessionError('INTERNAL', 'a new lineage has no earlier snapshot');
    return { info: stored.snapshot, repository: saves };
  }

  // A snapshot that was not restored is removed, so that it is not offered. If it may have been restored after all,
  // it stays, and the next start finds out.
  async #withdraw({ info, repository }: LocatedSnapshot): Promise<void> {
    const { record, lease, logger } = this.#context;
    if (record.current.restoring === info.id || record.current.basedOn === info.id || !lease.isHeld()) return;
    try {
      await repository.remove([info.id]);
      await repository.sweep();
    } catch (error) {
      logger.warn('the snapshot of a failed import was not removed', { error: describeError(error) });
    }
  }

  // The other session's browser may be closed only for a moment. A session that is being closed is waited for.
  async #assertNotOfThisProcess(session: OldSession, signal: AbortSignal): Promise<void> {
    const { clock, fs } = this.#context;
    const realPath = await resolveLinks(fs, profileOf(session));
    await makeWay({ fs, realPath }, { clock, signal, mayRetire: false });
    if (!isClaimedHere(fs, realPath)) return;
    throw new ProfileLockedError(
      `another session of this process (pid ${process.pid}) uses the old session; destroy() that one first: ${session.path}`,
      { pid: process.pid },
    );
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
