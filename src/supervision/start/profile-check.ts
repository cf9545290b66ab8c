import { join } from 'node:path';
import { withDeadline } from '../../clock.js';
import { isSessionError, TimeoutError } from '../../errors.js';
import { listEssentialFiles } from '../../profile/essential-files.js';
import { type CheckDepth, examineProfileTask } from '../../profile/soundness.js';
import { hashFilesTask } from '../../snapshot/hashing/hashing.js';
import type { SnapshotRepository } from '../../snapshot/repository.js';
import type { SnapshotFile, SoundnessReport } from '../../types.js';
import { answered, askStores, failed, type StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { passSessionErrors } from '../context/session-error.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { Restorer } from '../restore/restorer.js';
import type { TableCheck } from './table-check.js';

/** How long a launched browser waits for its check, as a multiple of `sessionTimeoutMs`: as long as a whole start. */
const BESIDE_DEADLINE_FACTOR = 10;
/** Reading a profile once ends by itself; this limit is for a thread that hangs, ms. */
const DEADLINE_MS = 3_600_000;

/** Finds out whether the profile in place is sound, and still has what it had at its last save or restore. */
export class ProfileCheck {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #restorer: Restorer;
  readonly #tables: TableCheck;
  /** Whether a launched browser has waited in vain. From then on, everything is checked before the launch. */
  #isTooSlow = false;

  constructor(
    context: SessionContext,
    parts: {
      readonly snapshots: SessionSnapshots;
      readonly restorer: Restorer;
      readonly tableCheck: TableCheck;
    },
  ) {
    this.#context = context;
    this.#snapshots = parts.snapshots;
    this.#restorer = parts.restorer;
    this.#tables = parts.tableCheck;
  }

  /** Checks every byte. */
  async everything(signal: AbortSignal, patience: StorePatience): Promise<SoundnessReport> {
    const reference = await this.#reference(signal, patience);
    return this.#examine('deep', reference, signal);
  }

  /**
   * Checks what a browser would change as soon as it is launched, and the structure of the rest. If that much is sound,
   * the rest is checked in the background, and {@link TableCheck} tells the verdict. Otherwise, checks every byte.
   */
  async beforeLaunch(signal: AbortSignal, patience: StorePatience): Promise<SoundnessReport> {
    if (this.#isTooSlow) return this.everything(signal, patience);
    const reference = await this.#reference(signal, patience);
    const report = await this.#examineOnce('before-launch', reference, signal);
    if (report.verdict !== 'sound') return this.#examine('deep', reference, signal);
    this.#tables.begin(async (either) => {
      const { verdict } = await this.#examine('beside-launch', reference, either);
      return verdict === 'sound';
    }, signal);
    return report;
  }

  async #reference(
    signal: AbortSignal,
    patience: StorePatience,
  ): Promise<readonly SnapshotFile[] | undefined> {
    const { record, soundTables } = this.#context;
    this.#tables.end();
    const { restoring } = record.current;
    if (restoring !== undefined) await this.#settleInterrupted(restoring, signal);
    soundTables.forget(); // a file that the disk has damaged keeps its signature
    return this.#manifestOf(record.current.basedOn, patience);
  }

  // After an interrupted restore, no browser has opened the profile. If every byte equals the snapshot's, the
  // snapshot is in place, and the record is updated. Otherwise it would be taken for the old profile, damaged.
  async #settleInterrupted(id: string, signal: AbortSignal): Promise<void> {
    const located = await this.#snapshots.find(id).catch(passSessionErrors);
    const manifest = await located?.repository.manifest(id).catch(passSessionErrors);
    if (located && manifest && (await this.#isInPlace(manifest.files, signal))) {
      await this.#restorer.noteInPlace(located, manifest);
    } else {
      await this.#context.record.update({ restoring: undefined });
    }
  }

  async #isInPlace(files: readonly SnapshotFile[], signal: AbortSignal): Promise<boolean> {
    const { runner, profileDir, fs } = this.#context;
    const present = await listEssentialFiles(profileDir, { fs });
    if (present.length !== files.length) return false;
    const paths = files.map(({ path }) => join(profileDir, path));
    const hashes = await runner.run(hashFilesTask, { paths }, { signal });
    return files.every(({ sha256 }, index) => hashes[index]?.sha256 === sha256);
  }

  // The disk may have failed only for a moment, and a restore would replace a sound login with an older one.
  async #examine(
    depth: CheckDepth,
    reference: readonly SnapshotFile[] | undefined,
    signal: AbortSignal,
  ): Promise<SoundnessReport> {
    const report = await this.#examineOnce(depth, reference, signal);
    return isDamaged(report) ? this.#examineOnce(depth, reference, signal) : report;
  }

  async #examineOnce(
    depth: CheckDepth,
    reference: readonly SnapshotFile[] | undefined,
    signal: AbortSignal,
  ): Promise<SoundnessReport> {
    const { runner, profileDir, clock, options, soundTables: memory } = this.#context;
    const isBeside = depth === 'beside-launch';
    const input = { profileDir, depth, ...(reference && { reference }) };
    const deadlineMs = isBeside ? options.sessionTimeoutMs * BESIDE_DEADLINE_FACTOR : DEADLINE_MS;
    const late = new AbortController();
    const either = AbortSignal.any([signal, late.signal]);
    const work = runner.run(examineProfileTask, input, { signal: either });
    try {
      const found = await withDeadline(clock, deadlineMs, 'the check of the profile', work);
      signal.throwIfAborted();
      memory.known = new Map([...memory.known, ...found.soundTables]);
      return found.report;
    } catch (error) {
      this.#isTooSlow ||= isBeside && error instanceof TimeoutError;
      throw error;
    } finally {
      late.abort();
    }
  }

  // The content at the last save or restore; only this reveals an emptied log (docs/chromium-facts.md F1.8).
  async #manifestOf(
    id: string | undefined,
    patience: StorePatience,
  ): Promise<readonly SnapshotFile[] | undefined> {
    if (id === undefined) return undefined;
    const ask = (repository: SnapshotRepository) => repository.manifest(id);
    const answers = await askStores(allRepositories(this.#context), ask, patience);
    for (const { error } of failed(answers)) if (!isSessionError(error)) throw error;
    return answered(answers)[0]?.value.files;
  }
}

function isDamaged({ verdict }: SoundnessReport): boolean {
  return verdict === 'corrupt' || verdict === 'suspect';
}
