import { CachedReading } from '../../cached-reading.js';
import { probePage } from '../../client/page-probe.js';
import { withDeadline } from '../../clock.js';
import type { StoreLeaseView } from '../../lease/store/store-lease-parts.js';
import {
  diskSpace,
  isEphemeral,
  memoryLimitBytes,
  readStorageFacts,
  storageWarnings,
} from '../../platform.js';
import { type TreeMemory, treeMemory } from '../../processes.js';
import { profileSizeTask } from '../../profile/caches.js';
import { checkProfileTask } from '../../profile/soundness.js';
import { isUp } from '../../state.js';
import type { Task } from '../../task.js';
import type { SessionContext } from '../context/session-context.js';
import { decisionIn } from '../login/rejected-restore.js';
import type { StartRetries } from '../reconnect/start-retries.js';
import type { SettleWatch } from '../save/settle-watch.js';
import type { EventLoopMeter } from './event-loop-meter.js';
import {
  type DiskFacts,
  type HealthFacts,
  isRunning,
  type MemoryFacts,
  type ProfileFacts,
  type StorageOutlook,
  type StoreLeaseFacts,
} from './facts.js';
import type { SnapshotLedger } from './snapshot-ledger.js';

/**
 * Time limit for each reading, ms; since all run at once, it is also the limit for the whole. It is longer than a
 * page is busy with a sync, and shorter than the usual interval, so a page that hangs is found within one interval.
 */
const READING_DEADLINE_MS = 10_000;
/** The size comes from a walk over all files of the profile, so it runs in the worker and not at every check. */
const SIZE_MAX_AGE_MS = 60_000;
/** A machine's mounts and control groups hardly ever change. */
const MACHINE_MAX_AGE_MS = 600_000;
/**
 * To find the browser's processes, the whole process table is read: up to 100 ms of a core, half a second on Windows.
 */
const TREE_MAX_AGE_MS = 60_000;
const BYTES_PER_MB = 1024 * 1024;

export interface FactsReaderParts {
  readonly startRetries: Pick<StartRetries, 'attempt' | 'lastError' | 'olderCopy'>;
  readonly ledger: SnapshotLedger;
  readonly meter: EventLoopMeter;
  readonly settleWatch: Pick<SettleWatch, 'isSettled'>;
}

/** All facts except the session's state, which is added last. */
export type ReadFacts = Omit<HealthFacts, 'state' | 'upMs'>;

/** Reads the facts for a report. Each reading has its own deadline and its failure does not affect the others. */
export class FactsReader {
  readonly #context: SessionContext;
  readonly #parts: FactsReaderParts;
  readonly #deadlineMs: number;
  readonly #size: CachedReading<HealthFacts['size']>;
  readonly #storage: CachedReading<StorageOutlook>;
  readonly #limit: CachedReading<number>;
  /** Memory of the browser with this pid. */
  #tree: { readonly pid: number; readonly memory: CachedReading<TreeMemory | undefined> } | undefined;

  constructor(context: SessionContext, parts: FactsReaderParts) {
    const { options, fs, profileDir } = context;
    this.#context = context;
    this.#parts = parts;
    this.#deadlineMs = Math.min(options.puppeteerTimeoutMs, READING_DEADLINE_MS);
    this.#size = this.#keep(SIZE_MAX_AGE_MS, () => this.#run(profileSizeTask, { profileDir }));
    this.#storage = this.#keep(MACHINE_MAX_AGE_MS, () => this.#readStorage());
    this.#limit = this.#keep(MACHINE_MAX_AGE_MS, () => memoryLimitBytes(fs));
  }

  /** Never rejects, and takes no longer than `puppeteerTimeoutMs`. */
  async read(): Promise<ReadFacts> {
    const { driver, clock, options, profileDir, lease } = this.#context;
    const { startRetries, ledger, meter } = this.#parts;
    const [probe, profile, size, storage, sessionDisk, backupDisk, browser, limitBytes] = await Promise.all([
      probePage(driver, clock, this.#deadlineMs),
      this.#within('the profile', () => this.#readProfile()),
      this.#within("the profile's size", () => this.#size.get()),
      this.#within('the storage', () => this.#storage.get()),
      this.#within("the session's disk", () => this.#readDisk(profileDir)),
      this.#within("the backups' disk", () => this.#readBackupDisk()),
      this.#within("the browser's memory", () => this.#readTree()),
      this.#within('the limit of memory', () => this.#limit.get()),
      this.#within('the snapshots', () => ledger.refresh()),
    ]);
    const { rss, heapUsed } = process.memoryUsage();
    const { maxReconnectAttempts: most } = options;
    return {
      hasLogin: this.#hasLogin(),
      limits: {
        maxSessionBytes: options.maxSessionSizeMb * BYTES_PER_MB,
        saveIntervalMs: options.forceSaveIntervalMs,
        backupIntervalMs: options.backupIntervalMs,
      },
      probe,
      profile,
      size,
      saves: ledger.facts('save'),
      backups: ledger.facts('backup'),
      storage,
      disks: { session: sessionDisk, backup: backupDisk },
      memory: { nodeRssBytes: rss, nodeHeapUsedBytes: heapUsed, browser, limitBytes },
      eventLoopDelayMs: meter.read(),
      threadSilentMs: this.#context.runner.silentMs?.() ?? 0,
      reconnect: { attempt: startRetries.attempt, maxAttempts: Number.isFinite(most) ? most : null },
      lastError: startRetries.lastError,
      olderCopy: startRetries.olderCopy,
      decision: decisionIn(this.#context.record.current)?.snapshotId,
      waiting: this.#context.startWaits.current,
      leaseHeld: lease.isHeld(),
      leaseUnproven: lease.isUnproven(),
      storeLease: storeLeaseFacts(this.#context.storeOwnership?.view),
    };
  }

  async #within<Fact>(what: string, read: () => Promise<Fact>): Promise<Fact | undefined> {
    const { clock, logger } = this.#context;
    try {
      return await withDeadline(clock, this.#deadlineMs, `looking at ${what}`, read());
    } catch (error) {
      logger.debug(`${what} could not be looked at`, { error });
      return undefined;
    }
  }

  #hasLogin(): boolean {
    const { record, state } = this.#context;
    return isUp(state()) || record.current.loggedIn || this.#parts.ledger.hasUsable;
  }

  /** Read only at rest or while a browser is up, since a start checks the profile itself and more thoroughly. */
  async #readProfile(): Promise<ProfileFacts | undefined> {
    const { state, profileDir } = this.#context;
    const live = isUp(state());
    if (!live && (isRunning(state()) || state() === 'stopping')) return undefined;
    const { verdict } = await this.#run(checkProfileTask, { profileDir, depth: 'quick', live });
    return { verdict, isSettled: !live || (await this.#parts.settleWatch.isSettled()) };
  }

  /** Runs in the worker while the session runs. Otherwise nobody would end the worker thread. */
  #run<Input, Output>(task: Task<Input, Output>, input: Input): Promise<Output> {
    const { runner, state, fs, clock } = this.#context;
    return isRunning(state()) ? runner.run(task, input) : task.run(input, { fs, clock });
  }

  async #readStorage(): Promise<StorageOutlook> {
    const { fs, options } = this.#context;
    const { sessionPath, backupPath } = options;
    const facts = await readStorageFacts({ fs, sessionPath, backupPath });
    const codes = storageWarnings(facts).map(({ code }) => code);
    // A user's own store may be anywhere, so nothing is said about its place.
    const ownSaves = options.store === undefined;
    const ownBackups = options.backupStore === undefined;
    return {
      sessionPath: facts.sessionPath,
      backupPath: facts.backupPath,
      isSessionEphemeral: ownSaves ? isEphemeral(facts.sessionPath, facts) : undefined,
      isBackupEphemeral: ownBackups ? isEphemeral(facts.backupPath, facts) : undefined,
      isSameDisk: ownSaves && ownBackups ? codes.includes('same-device') : undefined,
      mayOverlap: ownSaves && codes.includes('replicas'),
      hidesSignal: codes.includes('hidden-signal'),
    };
  }

  async #readDisk(path: string): Promise<DiskFacts | undefined> {
    const space = await diskSpace(this.#context.fs, path);
    return space && { ...space, path };
  }

  async #readBackupDisk(): Promise<DiskFacts | undefined> {
    const { options } = this.#context;
    return options.backupStore === undefined ? this.#readDisk(options.backupPath) : undefined;
  }

  async #readTree(): Promise<MemoryFacts['browser']> {
    const { driver } = this.#context;
    if (!driver.connected) return 'none';
    const pid = driver.browser?.process?.()?.pid;
    if (pid === undefined) return undefined;
    if (this.#tree?.pid !== pid) {
      this.#tree = { pid, memory: this.#keep(TREE_MAX_AGE_MS, () => treeMemory(pid)) };
    }
    return this.#tree.memory.get();
  }

  #keep<Fact>(maxAgeMs: number, read: () => Promise<Fact>): CachedReading<Fact> {
    const { clock, options } = this.#context;
    return new CachedReading({ clock, read, maxAgeMs, deadlineMs: options.puppeteerTimeoutMs });
  }
}

function storeLeaseFacts(view: StoreLeaseView | undefined): StoreLeaseFacts | undefined {
  if (view === undefined) return undefined;
  const { storeName: store, isLost, grant, provenAgoMs, takeoverMs } = view;
  return { store, isLost, provenAgoMs: grant && provenAgoMs, takeoverMs };
}
