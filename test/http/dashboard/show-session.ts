import { EventEmitter } from 'node:events';
import type { HealthIssue, HealthRecommendation, HealthReport } from '../../../src/health.js';
import type { SessionLike } from '../../../src/http/session-like.js';
import type { SessionState, SessionStatus, SnapshotInfo } from '../../../src/index.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A session for pages to show: everything it tells is what it was told, and its methods do what they say. */
export class ShowSession extends EventEmitter implements SessionLike {
  readonly client = new EventEmitter();
  /** What was called, oldest first. */
  readonly calls: (readonly [string, ...unknown[]])[] = [];
  readonly clientId: string;
  state: SessionState = 'ready';
  readonly pairing = undefined;
  stateSince = new Date(Date.now() - 3 * 60 * MINUTE).toISOString();
  attempt = 0;
  snapshots: readonly SnapshotInfo[];
  health: HealthReport;
  /** Called methods wait for it. */
  gate: Promise<unknown> = Promise.resolve();
  /** The next call rejects with it. */
  failure: Error | undefined;

  constructor(clientId = 'shop') {
    super();
    this.clientId = clientId;
    this.snapshots = someSnapshots(clientId);
    this.health = report(100, 'ready');
  }

  status(): SessionStatus {
    return {
      clientId: this.clientId,
      state: this.state,
      stateSince: this.stateSince,
      lineage: 'c2c1ab6e',
      run: 12,
      reconnect: { attempt: this.attempt, maxAttempts: 5 },
      lease: { held: true, generation: 4 },
      paths: {
        profile: '/app/.wwebjs_auth/session-shop',
        session: '/data/persistent-session',
        backup: '/backup/session-backup',
      },
    };
  }

  moveTo(to: SessionState, cause?: string): void {
    const from = this.state;
    this.state = to;
    this.stateSince = new Date().toISOString();
    this.emit('state:changed', { from, to, ...(cause !== undefined && { cause }) });
  }

  check(health: HealthReport): void {
    const { status: from } = this.health;
    this.health = health;
    this.emit('health:checked', { report: health });
    if (from !== health.status) this.emit('health:changed', { from, to: health.status, report: health });
  }

  showQr(value: string): void {
    if (this.state !== 'awaiting_qr') this.moveTo('awaiting_qr');
    this.client.emit('qr', value);
  }

  listSnapshots = async () => this.snapshots;
  checkHealth = async () => {
    await this.gate; // not noted as a call: every status asks
    this.emit('health:checked', { report: this.health });
    return this.health;
  };
  backup = () => this.#take('backup');
  forceSave = () => this.#take('save');
  initialize = async () => {
    await this.#do('initialize');
    this.moveTo('ready');
  };
  reconnect = async () => {
    await this.#do('reconnect');
  };
  destroy = async () => {
    await this.#do('destroy');
    this.moveTo('stopped');
  };
  clear = async (options?: unknown) => {
    await this.#do('clear', options);
    const snapshots = this.snapshots.length;
    this.snapshots = [];
    this.emit('session:cleared', { snapshots });
    this.moveTo('idle');
  };
  prune = async () => {
    await this.#do('prune');
    return { removedSnapshots: [], freedBytes: 4_200_000, cacheFiles: 310 };
  };
  restore = async (id?: string) => {
    await this.#do('restore', id);
    const snapshot = this.#find(id);
    this.emit('restore:completed', { snapshot, reason: 'requested', ageMs: 1000, durationMs: 500 });
    return snapshot;
  };
  verify = async (id?: string) => {
    await this.#do('verify', id);
    return { sound: id === undefined ? this.snapshots : [this.#find(id)], corrupt: [], unread: [] };
  };
  sendTestMessage = async (phoneNumber: string, message: string) => {
    await this.#do('sendTestMessage', phoneNumber, message);
    return { chatId: `${phoneNumber}@c.us`, messageId: 'true_1_A' };
  };
  openBackup = async () => {
    throw new Error('nothing to download here');
  };

  async #take(kind: 'save' | 'backup') {
    await this.#do(kind);
    const snapshot = snapshotOf(this.clientId, kind, Date.now());
    this.snapshots = [snapshot, ...this.snapshots];
    this.emit(`${kind}:completed`, { snapshot, durationMs: 800, bytesWritten: snapshot.storedBytes });
    return { snapshot };
  }

  async #do(...call: readonly [string, ...unknown[]]): Promise<void> {
    this.calls.push(call);
    await this.gate;
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
  }

  #find(id: string | undefined): SnapshotInfo {
    const found = this.snapshots.find((snapshot) => id === undefined || snapshot.id === id);
    if (!found) throw new Error(`no snapshot ${id}`);
    return found;
  }
}

function someSnapshots(clientId: string): readonly SnapshotInfo[] {
  const ages = [0.7, 2.6, 4.4, 7, 9, 60 * 24, 60 * 48, 60 * 72, 60 * 96, 60 * 120].map(
    (minutes) => minutes * MINUTE,
  );
  return ages.map((age, index) => ({
    ...snapshotOf(clientId, index === 1 || index > 4 ? 'backup' : 'save', Date.now() - age),
    ...(index === 4 && { settled: false }),
    ...(index === 9 && { revoked: true }),
  }));
}

export function snapshotOf(clientId: string, kind: SnapshotInfo['kind'], at: number): SnapshotInfo {
  const createdAt = new Date(at).toISOString();
  return {
    id: `${createdAt.replace(/\D/g, '').replace(/^(\d{8})/, '$1T')}Z-${(at % 0xffffffff).toString(16).padStart(8, '0')}`,
    kind,
    store: kind === 'save' ? 'file-system' : 'backup-dir',
    clientId,
    lineage: 'c2c1ab6e',
    run: 12,
    createdAt,
    sizeBytes: 14_680_064 - Math.floor((Date.now() - at) / DAY) * 700_000,
    storedBytes: kind === 'save' ? 420_000 : 11_900_000,
    files: 38,
    capture: 'hot',
    settled: true,
    revoked: false,
    verifiedAt: new Date(at + 1500).toISOString(),
  };
}

interface Trouble {
  readonly issues?: readonly HealthIssue[];
  readonly recommendations?: readonly HealthRecommendation[];
}

/** A health report with so many points. */
export function report(
  score: number,
  state: SessionState,
  trouble: Trouble = {},
  at = Date.now(),
): HealthReport {
  const lost = (id: string): boolean => trouble.issues?.some(({ check }) => check === id) ?? false;
  const ids = [
    'connection',
    'profile',
    'session-size',
    'last-save',
    'last-backup',
    'storage',
    'disk-space',
    'memory',
    'event-loop',
    'reconnect',
    'lease',
  ] as const;
  return {
    score,
    status: score >= 80 ? 'healthy' : score >= 50 ? 'warning' : 'critical',
    checks: ids.map((id) => ({
      id,
      status: lost(id) ? 'critical' : id === 'event-loop' ? 'unknown' : 'passed',
      points: lost(id) || id === 'event-loop' ? 0 : 10,
      maxPoints: 10,
    })),
    issues: trouble.issues ?? [],
    recommendations: trouble.recommendations ?? [],
    metrics: {
      state,
      connected: state === 'ready',
      pageState: state === 'ready' ? 'CONNECTED' : null,
      probeMs: state === 'ready' ? 12 : null,
      sessionBytes: 48_600_000,
      essentialBytes: 14_680_064,
      maxSessionBytes: 157_286_400,
      backupBytes: 71_000_000,
      saves: 4,
      backups: 6,
      lastModifiedAt: new Date(at - 20_000).toISOString(),
      lastSaveAt: null,
      lastSaveAgeMs: null,
      lastBackupAt: null,
      lastBackupAgeMs: null,
      sessionDiskFreeBytes: 18_200_000_000,
      backupDiskFreeBytes: null,
      nodeRssBytes: 92_000_000,
      nodeHeapUsedBytes: 40_000_000,
      browserBytes: state === 'ready' ? 408_000_000 : null,
      browserProcesses: state === 'ready' ? 9 : null,
      memoryLimitBytes: 2_147_483_648,
      eventLoopDelayMs: null,
      reconnectAttempt: 0,
      maxReconnectAttempts: 5,
      lastError: null,
      leaseHeld: true,
    },
    checkedAt: new Date(at).toISOString(),
  };
}

/** Two things that are wrong, with what to do about them. */
export const TROUBLE: Trouble = {
  issues: [
    {
      code: 'connection-lost',
      check: 'connection',
      severity: 'critical',
      message: {
        en: 'The page of WhatsApp Web has not answered for 2 minutes.',
        ar: 'صفحة واتساب ويب لا تستجيب منذ دقيقتين.',
      },
    },
    {
      code: 'backup-missing',
      check: 'last-backup',
      severity: 'warning',
      message: { en: 'There has been no backup for 3 days.', ar: 'لا توجد نسخة احتياطية منذ 3 أيام.' },
    },
  ],
  recommendations: [
    {
      code: 'connection-lost',
      text: { en: 'Reconnect. The login is kept.', ar: 'أعد الاتصال، فتسجيل الدخول محفوظ.' },
      action: 'reconnect',
    },
    {
      code: 'backup-missing',
      text: {
        en: 'Make a backup now, and check that the disk of the backups is there.',
        ar: 'أنشئ نسخة احتياطية الآن، وتأكد من وجود قرص النسخ.',
      },
      action: 'backup',
    },
  ],
};
