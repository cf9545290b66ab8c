import { CachedReading } from '../cached-reading.js';
import type { Clock } from '../clock.js';
import { describeError, isSessionError } from '../errors.js';
import type { SessionEventName, SessionEventPayloads } from '../events.js';
import type { HealthReport } from '../health.js';
import type { Logger } from '../logger.js';
import type { SessionStatus } from '../status.js';
import type { SnapshotInfo } from '../types.js';
import type { StatusResponse, SystemInfo } from './contract.js';
import type { Jobs } from './jobs.js';
import type { PairingCodes } from './pairing-codes.js';
import type { SessionLike } from './session-like.js';
import { sessionView, systemInfo } from './status-view.js';

const MAX_JOBS = 20;
/** How long a reader of the status waits; then it gets the values that were known before. */
const READ_DEADLINE_MS = 5000;
const SNAPSHOTS_MAX_AGE_MS = 5000;
/** Longer than the usual `healthCheckIntervalMs`, because a running session reports its health by itself. */
const HEALTH_MAX_AGE_MS = 20_000;
/** The memory of the process is cached, because the system takes longer for it than the rest of an answer needs. */
const SYSTEM_MAX_AGE_MS = 1000;
/** Events after which the list of snapshots has changed. */
const CHANGES_SNAPSHOTS: readonly SessionEventName[] = [
  'save:completed',
  'backup:completed',
  'corruption:detected',
  'session:revoked',
  'session:cleared',
  'session:imported',
  'snapshots:pruned',
];

export interface StatusReaderParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly jobs: Jobs;
  readonly pairing: PairingCodes;
  /** Removes secrets and waiting codes from everything that the session and stores say, also from store names. */
  readonly redact: <Value>(value: Value) => Value;
}

/** Collects the status. A page may ask every second, so stores and disks are asked far less often. */
export class StatusReader {
  readonly #session: SessionLike;
  readonly #parts: StatusReaderParts;
  readonly #snapshots: CachedReading<readonly SnapshotInfo[]>;
  readonly #health: CachedReading<HealthReport>;
  #system: { readonly info: SystemInfo; readonly askedAt: number } | undefined;

  constructor(session: SessionLike, parts: StatusReaderParts) {
    this.#session = session;
    this.#parts = parts;
    this.#snapshots = this.#reading(SNAPSHOTS_MAX_AGE_MS, () => session.listSnapshots());
    this.#health = this.#reading(HEALTH_MAX_AGE_MS, () => session.checkHealth());
  }

  /** Uses the session's own events, so that it need not be asked for the same facts. */
  note<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    if (CHANGES_SNAPSHOTS.includes(name)) this.#snapshots.expire();
    if (name === 'health:checked')
      this.#health.set((payload as SessionEventPayloads['health:checked']).report);
  }

  /** Reads the stores again next time, because an action may have changed them, for example by verifying a copy. */
  expire(): void {
    this.#snapshots.expire();
  }

  async read(): Promise<StatusResponse> {
    const { jobs, pairing, redact } = this.#parts;
    const [snapshots, health] = await Promise.all([
      this.#newest('the list of snapshots', this.#snapshots),
      this.#newest('the health', this.#health),
    ]);
    const status = this.#session.status(); // read last: it must not be older than the other values
    const session = sessionView({ status, snapshots, health });
    return {
      success: true,
      session: redact(session),
      health: health ? redact(health) : null,
      systemInfo: redact(this.#systemInfo(status)),
      qr: pairing.get('qr') ?? null,
      pairingCode: pairing.get('code') ?? null,
      jobs: jobs.list(MAX_JOBS), // results and errors were redacted when the jobs ended
    };
  }

  #reading<Value>(maxAgeMs: number, read: () => Promise<Value>): CachedReading<Value> {
    const { clock } = this.#parts;
    return new CachedReading({ clock, read, maxAgeMs, deadlineMs: READ_DEADLINE_MS, keepsFailures: true });
  }

  /** `undefined` if no reading has succeeded yet, or if the last one failed. */
  #newest<Value>(what: string, reading: CachedReading<Value>): Promise<Value | undefined> {
    return reading.get().catch((error: unknown) => {
      if (isSessionError(error) && error.code === 'TIMEOUT') return reading.latestValue;
      this.#parts.logger.warn(`${what} could not be read`, { error: describeError(error).message });
      return undefined;
    });
  }

  #systemInfo(status: SessionStatus): SystemInfo {
    const now = this.#parts.clock.monotonic();
    if (this.#system === undefined || now - this.#system.askedAt >= SYSTEM_MAX_AGE_MS) {
      this.#system = { info: systemInfo(status), askedAt: now };
    }
    return this.#system.info;
  }
}
