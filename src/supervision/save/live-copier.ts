import type { CopySkipped } from '../../events.js';
import { captureTask, liveSignaturesTask } from '../../profile/capture-task.js';
import { findingsOf } from '../../profile/findings-of.js';
import type { CapturedFile } from '../../types.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import type { BlobRescue } from '../restore/blob-rescue.js';
import { MIN_FREE_BYTES, unsound } from './copy-outcome.js';
import type { LiveCopy, SaveRequest } from './save-request.js';

/**
 * Copies the browser's profile. While the browser of a ready session runs, its IndexedDB is copied once, and then followed
 * by its logs (docs/profile.md).
 */
export class LiveCopier {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #blobRescue: BlobRescue;

  constructor(
    context: SessionContext,
    parts: { readonly snapshots: SessionSnapshots; readonly blobRescue: BlobRescue },
  ) {
    this.#context = context;
    this.#snapshots = parts.snapshots;
    this.#blobRescue = parts.blobRescue;
  }

  /** The files of the profile as a copy would name them, with their signatures; none where these would not tell a change. */
  async signatures(signal: AbortSignal): Promise<readonly CapturedFile[]> {
    const { profileDir, runner, follower } = this.#context;
    const { base } = follower;
    return runner.run(liveSignaturesTask, { profileDir, ...(base !== undefined && { base }) }, { signal });
  }

  /** Makes a copy of the profile and tells when it was begun, if the copy is sound. */
  async copy(
    { capture: mode, signal }: SaveRequest,
    targetDir: string,
    freeBytes: number,
  ): Promise<LiveCopy | CopySkipped> {
    const { profileDir, runner, announce, logger, soundTables: memory, follower } = this.#context;
    const createdAt = await this.#snapshots.nextCaptureTime();
    const follow = mode === 'hot' ? await follower.offer(Math.max(0, freeBytes - MIN_FREE_BYTES)) : undefined;
    const input = { profileDir, targetDir, mode, soundTables: memory.known, ...(follow && { follow }) };
    const capture = await runner.run(captureTask, input, { signal });
    const { tree, report, soundTables, missingBlobs, dataVersion, base, newBaseBecause } = capture;
    if (newBaseBecause !== undefined)
      logger.debug('the database was copied again from the beginning', { because: newBaseBecause });
    if (follow !== undefined) follower.accept(follow, base);
    if (report.verdict === 'sound') {
      memory.known = soundTables;
      this.#blobRescue.tell(missingBlobs);
      return { tree, createdAt, dataVersion, base };
    }
    memory.forget();
    // Right after a pairing, half of the login is not on the disk yet, so `suspect` is no damage
    // (docs/chromium-facts.md F1.5).
    if (report.verdict === 'corrupt')
      announce('corruption:detected', { where: 'profile', findings: report.findings });
    return unsound(findingsOf(report));
  }

  /** Call after any doubt: the next copy reads again what earlier ones have found sound. */
  doubt(): void {
    this.#context.soundTables.forget();
    this.#context.follower.doubt();
  }
}
