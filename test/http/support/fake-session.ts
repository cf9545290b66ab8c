import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { HealthReport } from '../../../src/health.js';
import type { SessionLike } from '../../../src/http/session-like.js';
import type { PendingPairing, SessionState, SessionStatus, SnapshotInfo } from '../../../src/index.js';

type Method =
  | 'backup'
  | 'checkHealth'
  | 'clear'
  | 'destroy'
  | 'forceSave'
  | 'initialize'
  | 'listSnapshots'
  | 'openBackup'
  | 'prune'
  | 'reconnect'
  | 'restore'
  | 'sendTestMessage'
  | 'verify';

export const BACKUP: SnapshotInfo = snapshot('20261123T051409123Z-1a2b3c4d', 'backup');
export const SAVE: SnapshotInfo = snapshot('20261123T051000000Z-00000001', 'save');

/** A session that does what a test says, and remembers what it was asked. */
export class FakeSession extends EventEmitter implements SessionLike {
  readonly client = new EventEmitter();
  /** What was called, oldest first. */
  readonly calls: (readonly [Method, ...unknown[]])[] = [];
  state: SessionState = 'ready';
  pairing: PendingPairing | undefined;
  statusPatch: Partial<SessionStatus> = {};
  readonly #answers = new Map<Method, () => Promise<unknown>>();

  /** What a method does from now on. */
  answer(method: Method, work: () => Promise<unknown>): void {
    this.#answers.set(method, work);
  }

  /** As `answer`, with an error. */
  fail(method: Method, error: unknown): void {
    this.answer(method, () => Promise.reject(error));
  }

  /** Never answers, until the returned function is called. */
  hang(method: Method, value?: unknown): () => void {
    let finish = () => {};
    const work = new Promise((resolve) => {
      finish = () => resolve(value);
    });
    this.answer(method, () => work);
    return finish;
  }

  moveTo(to: SessionState): void {
    const from = this.state;
    this.state = to;
    this.emit('state:changed', { from, to });
  }

  called(method: Method): number {
    return this.calls.filter(([name]) => name === method).length;
  }

  status(): SessionStatus {
    return {
      clientId: 'shop',
      state: this.state,
      stateSince: '2026-11-23T05:00:00.000Z',
      lineage: 'lineage-1',
      run: 3,
      reconnect: { attempt: 0, maxAttempts: 5 },
      lease: { held: true, generation: 1 },
      paths: {
        profile: '/bot/auth/session-shop',
        session: '/bot/persistent-session',
        backup: '/bot/session-backup',
      },
      ...this.statusPatch,
    };
  }

  backup = this.#method('backup', async () => ({ snapshot: BACKUP }));
  checkHealth = this.#method('checkHealth', async () => healthReport());
  clear = this.#method('clear', async () => undefined);
  destroy = this.#method('destroy', async () => undefined);
  forceSave = this.#method('forceSave', async () => ({ snapshot: SAVE }));
  initialize = this.#method('initialize', async () => undefined);
  listSnapshots = this.#method('listSnapshots', async () => [BACKUP, SAVE]);
  openBackup = this.#method('openBackup', async () => ({
    snapshot: BACKUP,
    body: Readable.from([Buffer.from('PK')]),
  }));
  prune = this.#method('prune', async () => ({
    removedSnapshots: [SAVE.id],
    freedBytes: 4096,
    cacheFiles: 0,
  }));
  reconnect = this.#method('reconnect', async () => undefined);
  restore = this.#method('restore', async () => BACKUP);
  sendTestMessage = this.#method('sendTestMessage', async () => ({
    chatId: '201234567890@c.us',
    messageId: 'm1',
  }));
  verify = this.#method('verify', async () => ({ sound: [BACKUP, SAVE], corrupt: [], unread: [] }));

  #method<Result>(name: Method, work: () => Promise<Result>): (...args: unknown[]) => Promise<Result> {
    return (...args) => {
      this.calls.push([name, ...args]);
      return (this.#answers.get(name) as typeof work | undefined)?.() ?? work();
    };
  }
}

export function healthReport(patch: Partial<HealthReport> = {}): HealthReport {
  return {
    score: 92,
    status: 'healthy',
    checks: [{ id: 'connection', status: 'passed', points: 20, maxPoints: 20 }],
    issues: [
      {
        code: 'backup-old',
        check: 'last-backup',
        severity: 'warning',
        message: { en: 'The last backup is old.', ar: 'آخر نسخة احتياطية قديمة.' },
      },
    ],
    recommendations: [
      { code: 'backup-old', text: { en: 'Make a backup.', ar: 'أنشئ نسخة احتياطية.' }, action: 'backup' },
    ],
    metrics: {
      state: 'ready',
      connected: true,
      pageState: 'CONNECTED',
      probeMs: 12,
      sessionBytes: 12_582_912,
      essentialBytes: 4_194_304,
      maxSessionBytes: 157_286_400,
      backupBytes: 2_097_152,
      saves: 1,
      backups: 1,
      lastModifiedAt: '2026-11-23T05:14:00.000Z',
      lastSaveAt: '2026-11-23T05:10:00.000Z',
      lastSaveAgeMs: 1000,
      lastBackupAt: '2026-11-23T05:14:09.123Z',
      lastBackupAgeMs: 1000,
      sessionDiskFreeBytes: null,
      backupDiskFreeBytes: null,
      nodeRssBytes: 90_000_000,
      nodeHeapUsedBytes: 30_000_000,
      browserBytes: null,
      browserProcesses: null,
      memoryLimitBytes: null,
      eventLoopDelayMs: null,
      reconnectAttempt: 0,
      maxReconnectAttempts: 5,
      lastError: null,
      leaseHeld: true,
    },
    checkedAt: '2026-11-23T05:14:10.000Z',
    ...patch,
  };
}

function snapshot(id: string, kind: SnapshotInfo['kind']): SnapshotInfo {
  return {
    id,
    kind,
    store: kind === 'backup' ? 'backup-dir' : 'file-system',
    clientId: 'shop',
    lineage: 'lineage-1',
    run: 3,
    createdAt: kind === 'backup' ? '2026-11-23T05:14:09.123Z' : '2026-11-23T05:10:00.000Z',
    sizeBytes: 4_194_304,
    storedBytes: 2_097_152,
    files: 7,
    capture: 'hot',
    settled: true,
    verifiedAt: '2026-11-23T05:14:10.000Z',
    revoked: false,
    imported: [`20261101-0a1b2c3d-i${'0'.repeat(48)}`],
  };
}
