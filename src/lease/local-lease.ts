import { type Clock, withDeadline } from '../clock.js';
import { ClosedError } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { type Logger, silentLogger } from '../logger.js';
import { foldsCase } from '../platform.js';
import { notProvenOwner, notTheOwner, type WritePermit } from '../write-permit.js';
import { claimLease } from './claim-lease.js';
import { describeHolder, isSameHolder, type Machine, thisMachine } from './judge-holder.js';
import { LeaseFiles } from './lease-files.js';
import type { LeaseHolder } from './lease-record.js';
import { Ownership } from './ownership.js';
import { FILES_DEADLINE_MS } from './timing.js';

export type { Machine } from './judge-holder.js';

export interface LocalLeaseOptions {
  /** The folder of the lease files, for example `<sessionPath>/lease`; created when it is missing. */
  readonly directory: string;
  /**
   * How many of the last folder names in `directory` belong to this library: these must not be symbolic links.
   * Default 1.
   */
  readonly ownFolders?: number;
  readonly clientId: string;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Called once when an acquired lease is lost (not when it is released). */
  readonly onLost?: (reason: string) => void;
  /** Called when the lease file was gone, no other process was the owner, and the lease was claimed again. */
  readonly onReclaimed?: (grant: LeaseGrant) => void;
  /** Access to facts about this machine and its processes. Default: the real machine. */
  readonly machine?: Machine;
}

export interface AcquireOptions {
  /** Aborting it ends the waiting; `acquire` then rejects with its reason. */
  readonly signal?: AbortSignal;
  /** How long to wait for a live owner to release the lease, ms. Default 0: refuse as soon as it is proven alive. */
  readonly waitMs?: number;
  /**
   * Called when it must be watched whether the holder lives, as it is on another machine or can't be read, and how long
   * at most, ms.
   */
  readonly onWatch?: (holder: LeaseHolder | undefined, maxMs: number) => void;
}

/** The lease as it was granted. */
export interface LeaseGrant {
  /** `host:pid`, for humans. */
  readonly owner: string;
  /** The fencing number: grows with every new owner of this session in this folder. */
  readonly generation: number;
}

/**
 * Ensures that a session has only one owner on one machine or shared volume (docs/invariants.md I6).
 *
 * The owner is the process that created the file of the highest generation; it rewrites that file every 5 s. When
 * the holder's process is proven dead on this machine, the lease is taken over at once. When the holder is on
 * another machine or in another container, it is taken over after its file has not changed for 30 s. An owner that
 * could not write for 30 s, or was suspended for that long, stops counting itself as the owner, before another
 * process can have taken over, and reads the files again; it loses the lease only when it finds a newer owner.
 * When its file is gone (somebody cleaned the folder), it competes for the lease again, under a higher generation.
 *
 * @example
 * const lease = new LocalLease({ directory: join(sessionPath, 'lease'), clientId, fs, clock, onLost: stopWriting });
 * const { generation } = await lease.acquire({ signal });
 * lease.assertHeld(); // before every write
 * await lease.release();
 */
export class LocalLease {
  readonly #options: LocalLeaseOptions;
  readonly #files: LeaseFiles;
  #acquiring: { readonly result: Promise<LeaseGrant>; readonly closing: AbortController } | undefined;
  #ownership: Ownership | undefined;

  constructor(options: LocalLeaseOptions) {
    const { directory, ownFolders, clientId, fs, clock } = options;
    this.#options = options;
    // Where the file system ignores case, `Shop` and `shop` share one folder, so they are one session.
    const key = foldsCase(process.platform) ? clientId.toLowerCase() : clientId;
    this.#files = new LeaseFiles(directory, key, fs, clock, ownFolders);
  }

  /** Folder of the lease files. */
  get directory(): string {
    return this.#files.directory;
  }

  /** Who wrote the newest lease file, whether that process is alive or not. Claims nothing. */
  async lastOwner(): Promise<'nobody' | 'this-process' | 'another'> {
    const { clock, machine = thisMachine } = this.#options;
    const look = this.#files.readHighest();
    const seen = await withDeadline(
      clock,
      FILES_DEADLINE_MS,
      `work on the lease files in ${this.directory}`,
      look,
    );
    if (seen === undefined) return 'nobody';
    const holder = seen.record?.holder;
    return holder !== undefined && isSameHolder(holder, await describeHolder(machine))
      ? 'this-process'
      : 'another';
  }

  /** The fencing number of the lease we have, or had last; 0 before the first and after a release. */
  get generation(): number {
    return this.#ownership?.generation ?? 0;
  }

  /**
   * Becomes the owner. A second call joins the one that is running, under the signal of the first. An owner gets
   * its present lease; after a loss it competes again.
   *
   * @throws LeaseHeldError when a live process is the owner, ConfigurationError when the folder can't be used,
   * StoreError or TimeoutError when the file system fails, ClosedError when `release()` is called meanwhile.
   */
  acquire(options: AcquireOptions = {}): Promise<LeaseGrant> {
    if (this.#acquiring !== undefined) return this.#acquiring.result;
    if (this.#ownership?.isHeld()) return Promise.resolve(grantOf(this.#ownership));
    const closing = new AbortController();
    const signals = options.signal === undefined ? [closing.signal] : [closing.signal, options.signal];
    const result = this.#acquire(options, AbortSignal.any(signals)).finally(() => {
      this.#acquiring = undefined;
    });
    this.#acquiring = { result, closing };
    return result;
  }

  /** Whether we may write now. Also false when the last proof is too old (the process was suspended). */
  isHeld(): boolean {
    return this.#ownership?.isHeld() ?? false;
  }

  /** Whether no new owner is known, and yet we can't tell at this moment whether the lease is ours. */
  isUnproven(): boolean {
    return this.#ownership?.isUnproven() ?? false;
  }

  /**
   * Like {@link isHeld}, but when the last proof is too old (the process was suspended), a new one is made first,
   * which reads and writes the lease file. When the lease turns out to be lost, `onLost` is called as after a
   * heartbeat. Never rejects.
   */
  async confirm(): Promise<boolean> {
    return (await this.#ownership?.confirm()) ?? false;
  }

  /** The value of {@link isHeld} for other threads; `undefined` before the first lease and after a release. */
  get permit(): WritePermit | undefined {
    return this.#ownership?.permit;
  }

  /** @throws LeaseLostError unless {@link isHeld}. */
  assertHeld(): void {
    if (this.isHeld()) return;
    const { clientId } = this.#options;
    if (!this.isUnproven()) throw notTheOwner(clientId);
    throw notProvenOwner(clientId, { directory: this.directory, cause: this.#ownership?.lastFailure });
  }

  /**
   * Releases the lease, so that the next owner need not wait. Never rejects; does nothing when there is nothing to
   * release.
   *
   * @param options `withoutTrace`: also removes the lease file, because its folder was deleted before
   */
  async release({ withoutTrace = false } = {}): Promise<void> {
    if (this.#acquiring !== undefined) {
      this.#acquiring.closing.abort(new ClosedError('the lease was released while it was being acquired'));
      await this.#acquiring.result.catch(() => undefined);
    }
    const ownership = this.#ownership;
    this.#ownership = undefined;
    await ownership?.release({ withoutTrace });
  }

  async #acquire({ waitMs = 0, onWatch }: AcquireOptions, signal: AbortSignal): Promise<LeaseGrant> {
    const { clock, machine = thisMachine, logger = silentLogger, onLost = () => undefined } = this.#options;
    const files = this.#files;
    this.#ownership?.abandon(); // it is lost already, or was unproven for too long
    const claim = await claimLease({ files, clock, machine, waitMs, signal, onWatch });
    const onReclaimed = () => this.#options.onReclaimed?.(grantOf(ownership));
    const parts = { files, clock, logger, machine, onLost, onReclaimed };
    const ownership: Ownership = new Ownership(parts, claim);
    if (signal.aborted) {
      await ownership.release();
      signal.throwIfAborted();
    }
    this.#ownership = ownership;
    const sweeping = files.removeOlder(claim.generation);
    await withDeadline(clock, FILES_DEADLINE_MS, 'removing old lease files', sweeping).catch(() => undefined);
    return grantOf(ownership);
  }
}

function grantOf({ owner, generation }: Ownership): LeaseGrant {
  return { owner, generation };
}
