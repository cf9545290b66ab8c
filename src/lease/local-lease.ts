import { type Clock, withDeadline } from '../clock.js';
import { ClosedError } from '../errors.js';
import type { FileSystem } from '../file-system.js';
import { type Logger, silentLogger } from '../logger.js';
import { foldsCase } from '../platform.js';
import { notProvenOwner, notTheOwner, type WritePermit } from '../write-permit.js';
import { claimLease } from './claim-lease.js';
import { type Machine, thisMachine } from './judge-holder.js';
import { LeaseFiles } from './lease-files.js';
import { Ownership } from './ownership.js';
import { FILES_DEADLINE_MS } from './timing.js';

export type { Machine } from './judge-holder.js';

export interface LocalLeaseOptions {
  /** The folder of the lease files, for example `<sessionPath>/lease`; made when it is missing. */
  readonly directory: string;
  /** So many names at the end of `directory` are folders of this library, and no symbolic links. Default 1. */
  readonly ownFolders?: number;
  readonly clientId: string;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Called once when an acquired lease is lost (not when it is released). */
  readonly onLost?: (reason: string) => void;
  /** Called when the lease file was gone, nobody else was the owner, and the lease was claimed anew. */
  readonly onReclaimed?: (grant: LeaseGrant) => void;
  /** What is known of this machine and its processes. Default: all of it. */
  readonly machine?: Machine;
}

export interface AcquireOptions {
  /** Ends the waiting; rejects with its reason. */
  readonly signal?: AbortSignal;
  /** How long to wait for a live owner to let go, ms. Default 0: refused as soon as it is proven alive. */
  readonly waitMs?: number;
}

/** What an owner got. */
export interface LeaseGrant {
  /** `host:pid`, for people. */
  readonly owner: string;
  /** The fencing number: grows with every new owner of this session in this folder. */
  readonly generation: number;
}

/**
 * Makes one owner per session on one machine or shared volume (docs/invariants.md I6).
 *
 * The owner is whoever created the file of the highest generation; it rewrites that file every 5 s. A holder whose
 * process is proven dead on this machine is taken over at once, one of another machine or container when its file
 * stood still for 30 s. An owner that could not write for 30 s (or was suspended for that long) does not count
 * itself as one, before anybody can have taken over, until it has looked again: it is lost to a newer owner only. A file
 * that is gone (somebody cleaned the folder) is contested and made again, under a higher generation.
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
    // Where `Shop` and `shop` are one folder, they are one session.
    const key = foldsCase(process.platform) ? clientId.toLowerCase() : clientId;
    this.#files = new LeaseFiles(directory, key, fs, clock, ownFolders);
  }

  /** The fencing number of the lease we have, or had last; 0 before the first and after a release. */
  get generation(): number {
    return this.#ownership?.generation ?? 0;
  }

  /**
   * Becomes the owner. A call while another one runs joins it (under the signal of the first); an owner keeps what
   * it has; after a loss it competes again.
   *
   * @throws LeaseHeldError when a live process is the owner, ConfigurationError when the folder can't be used,
   * StoreError or TimeoutError when the file system fails, ClosedError when `release()` comes between.
   */
  acquire(options: AcquireOptions = {}): Promise<LeaseGrant> {
    if (this.#acquiring !== undefined) return this.#acquiring.result;
    if (this.#ownership?.isHeld()) return Promise.resolve(grantOf(this.#ownership));
    const closing = new AbortController();
    const signals = options.signal === undefined ? [closing.signal] : [closing.signal, options.signal];
    const result = this.#acquire(options.waitMs ?? 0, AbortSignal.any(signals)).finally(() => {
      this.#acquiring = undefined;
    });
    this.#acquiring = { result, closing };
    return result;
  }

  /** Whether we may write now. False, too, when the last proof of it is too old (the process was suspended). */
  isHeld(): boolean {
    return this.#ownership?.isHeld() ?? false;
  }

  /** Whether nobody is known to have taken it over, and yet it can't be told just now whether it is ours. */
  isUnproven(): boolean {
    return this.#ownership?.isUnproven() ?? false;
  }

  /**
   * The same as {@link isHeld}, but where the last proof is too old to tell (the process was suspended), a new one is made first: a read
   * and a write of the lease file. A lease that is found lost is told of as by a heartbeat. Never rejects.
   */
  async confirm(): Promise<boolean> {
    return (await this.#ownership?.confirm()) ?? false;
  }

  /** {@link isHeld} for other threads; `undefined` before the first lease and after a release. */
  get permit(): WritePermit | undefined {
    return this.#ownership?.permit;
  }

  /** @throws LeaseLostError unless {@link isHeld}. */
  assertHeld(): void {
    if (this.isHeld()) return;
    throw (this.isUnproven() ? notProvenOwner : notTheOwner)(this.#options.clientId);
  }

  /** Lets go, so that the next owner need not wait. Never rejects; does nothing where there is nothing to release. */
  async release(): Promise<void> {
    if (this.#acquiring !== undefined) {
      this.#acquiring.closing.abort(new ClosedError('the lease was released while it was being acquired'));
      await this.#acquiring.result.catch(() => undefined);
    }
    const ownership = this.#ownership;
    this.#ownership = undefined;
    await ownership?.release();
  }

  async #acquire(waitMs: number, signal: AbortSignal): Promise<LeaseGrant> {
    const { clock, machine = thisMachine, logger = silentLogger, onLost = () => undefined } = this.#options;
    const files = this.#files;
    this.#ownership?.abandon(); // lost already, or too long without proof
    const claim = await claimLease({ files, clock, machine, waitMs, signal });
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
