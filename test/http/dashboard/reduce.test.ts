import { beforeEach, describe, expect, it } from 'vitest';
import type { Job, StatusResponse } from '../../../src/http/contract.js';
import { MAX_LOG, reduce } from '../../../src/http/dashboard/client/model/reduce.js';
import {
  type Change,
  type DashboardState,
  INITIAL_STATE,
  isRunning,
  type StreamEvent,
} from '../../../src/http/dashboard/client/model/state.js';
import { report, snapshotOf } from './show-session.js';

let state: DashboardState;
beforeEach(() => {
  state = INITIAL_STATE;
});

const change = (next: Change): void => {
  state = reduce(state, next);
};
const hear = (event: StreamEvent, at = 5000): void => change({ type: 'event', event, at });
const read = (patch: Partial<StatusResponse> = {}, askedAt = 100): void =>
  change({ type: 'status-read', status: { ...STATUS, ...patch }, askedAt });

describe('the state of the page', () => {
  it('follows the session by its events alone', () => {
    read({ qr: { value: 'secret', receivedAt: 'then' } });
    hear({ name: 'state:changed', data: { from: 'awaiting_qr', to: 'ready' } });
    expect(state.status?.session).toMatchObject({
      state: 'ready',
      connected: true,
      stateSince: '1970-01-01T00:00:05.000Z',
    });
    expect(state.status?.qr).toBeNull();
    hear({ name: 'reconnect:attempted', data: { attempt: 3, cause: 'timeout' } });
    expect(state.status?.session.reconnectAttempts).toBe(3);
  });

  it('lists a new backup at once, and what was pruned no more', () => {
    read();
    hear({ name: 'backup:completed', data: { snapshot: BACKUP, durationMs: 1, bytesWritten: 1 } });
    expect(state.status?.session).toMatchObject({
      snapshots: [BACKUP],
      lastBackup: BACKUP.createdAt,
      hasBackup: true,
    });
    hear({ name: 'snapshots:pruned', data: { removed: [BACKUP.id], freedBytes: 1 } });
    expect(state.status?.session.snapshots).toEqual([]);
  });

  it.each([
    ['save', 'lastSaveError'],
    ['backup', 'lastBackupError'],
  ] as const)('tells why the last %s came to nothing, until one is taken or up to date', (kind, field) => {
    read();
    const told = () => state.status?.session[field];
    const fail = (code: string) =>
      hear({ name: `${kind}:failed`, data: { error: { code, message: 'the bucket is full' } } });
    fail('STORE');
    expect(told()).toMatchObject({ code: 'STORE', message: 'the bucket is full', at: expect.any(String) });
    hear({ name: `${kind}:skipped`, data: { reason: 'not-ready' } });
    fail('CLOSED');
    expect(told()).toMatchObject({ code: 'STORE' });
    hear({ name: `${kind}:skipped`, data: { reason: 'no-space' } });
    expect(told()).toMatchObject({ code: 'no-space' });
    hear({ name: `${kind}:skipped`, data: { reason: 'unchanged' } });
    expect(told()).toBeNull();
    fail('STORE');
    hear({ name: `${kind}:completed`, data: { snapshot: BACKUP, durationMs: 1, bytesWritten: 1 } });
    expect(told()).toBeNull();
    fail('STORE');
    hear({ name: 'session:cleared', data: { snapshots: 1 } });
    expect(told()).toBeNull();
  });

  it('guesses nothing of copies that no store tells of', () => {
    read({ session: { ...STATUS.session, snapshots: null } });
    hear({ name: 'snapshots:pruned', data: { removed: [BACKUP.id], freedBytes: 1 } });
    expect(state.status?.session.snapshots).toBeNull();
  });

  it('keeps each health report once, in order of time', () => {
    read({ health: report(90, 'ready', {}, 1000) });
    hear({ name: 'health:checked', data: { report: report(80, 'ready', {}, 2000) } });
    hear({
      name: 'health:changed',
      data: { from: 'healthy', to: 'warning', report: report(80, 'ready', {}, 2000) },
    });
    read({ health: report(90, 'ready', {}, 1000) });
    expect(state.history.map(({ score }) => score)).toEqual([90, 80]);
  });

  it('tells who owns the session as long as it does', () => {
    hear({ name: 'lease:acquired', data: { owner: 'host@1', generation: 1 } });
    expect(state.leaseOwner).toBe('host@1');
    hear({ name: 'lease:lost', data: { reason: 'taken' } });
    expect(state).not.toHaveProperty('leaseOwner');
  });
});

describe('the live connection', () => {
  const refusal = { code: 'TOO_MANY_STREAMS', message: '20 streams are open' };
  const link = (kind: DashboardState['link']['kind'], at: number, why?: typeof refusal): void =>
    change({ type: 'link', kind, at, ...(why && { refusal: why }) });

  it('is lost since the first sign of it, and says why the bot refuses it', () => {
    link('live', 1000);
    link('lost', 2000);
    link('lost', 3000);
    expect(state.link).toEqual({ kind: 'lost', since: 2000 });
    link('lost', 4000, refusal);
    expect(state.link).toEqual({ kind: 'lost', since: 2000, refusal });
    link('lost', 5000);
    expect(state.link).toEqual({ kind: 'lost', since: 2000 });
  });

  it('has no reason left once it is live again, or over', () => {
    for (const kind of ['live', 'ended'] as const) {
      link('lost', 1000, refusal);
      link(kind, 2000);
      expect(state.link).toEqual({ kind, since: 2000 });
    }
  });

  it('changes nothing where nothing is new', () => {
    link('lost', 1000, refusal);
    const before = state;
    link('lost', 2000, { ...refusal });
    expect(state).toBe(before);
  });
});

describe('the log', () => {
  it('is newest first and bounded', () => {
    for (let attempt = 0; attempt <= MAX_LOG; attempt++) {
      hear({ name: 'reconnect:attempted', data: { attempt, cause: 'timeout' } });
    }
    expect(state.log).toHaveLength(MAX_LOG);
    expect(state.log[0]?.event.data).toMatchObject({ attempt: MAX_LOG });
    expect(new Set(state.log.map(({ key }) => key)).size).toBe(MAX_LOG);
  });

  it('counts what is said again and again', () => {
    hear({ name: 'save:skipped', data: { reason: 'unchanged' } }, 1000);
    hear({ name: 'save:skipped', data: { reason: 'unchanged' } }, 2000);
    expect(state.log).toMatchObject([{ times: 2, at: 2000 }]);
  });

  it('leaves out what comes by the clock', () => {
    hear({ name: 'health:checked', data: { report: report(80, 'ready') } });
    hear({ name: 'stream:opened', data: { resumed: true } });
    expect(state.log).toEqual([]);
  });
});

describe('a button that was pressed', () => {
  const press = (): void => change({ type: 'pressed', key: 'backup', action: 'backup' });
  const accept = (): void => change({ type: 'accepted', key: 'backup', jobId: 'j1', at: 200 });

  it('is busy until its job ends, and says how it ended', () => {
    press();
    accept();
    expect(isRunning(state, 'backup')).toBe(true);
    hear({
      name: 'job:completed',
      data: { job: job({ status: 'completed', result: { skipped: 'unchanged' } }) },
    });
    expect(isRunning(state, 'backup')).toBe(false);
    expect(state.notices).toMatchObject([
      { action: 'backup', outcome: { kind: 'done', result: { skipped: 'unchanged' } } },
    ]);
  });

  it('hears of an end that came before the answer', () => {
    read();
    press();
    hear({
      name: 'job:failed',
      data: { job: job({ status: 'failed', error: { code: 'STORE', message: 'down' } }) },
    });
    expect(state.notices).toEqual([]);
    accept();
    expect(state.pending).toEqual({});
    expect(state.notices).toMatchObject([{ outcome: { kind: 'failed', error: { code: 'STORE' } } }]);
  });

  it('learns from the status what no event told', () => {
    press();
    accept();
    read({ jobs: [job({})] }, 300);
    expect(isRunning(state, 'backup')).toBe(true);
    read({ jobs: [job({ status: 'completed', result: { snapshot: BACKUP } })] }, 400);
    expect(state.notices).toMatchObject([{ outcome: { kind: 'done' } }]);
  });

  it('says so when nobody knows how it ended', () => {
    press();
    accept();
    read({ jobs: [] }, 300);
    expect(state.pending).toEqual({});
    expect(state.notices).toMatchObject([{ outcome: { kind: 'lost' } }]);
  });

  it('is not given up by an answer from before', () => {
    press();
    accept();
    read({ jobs: [] }, 150);
    expect(isRunning(state, 'backup')).toBe(true);
  });

  it('is busy, too, when another page pressed it', () => {
    read({ jobs: [job({})] });
    expect(isRunning(state, 'backup')).toBe(true);
    expect(isRunning(state, 'verify')).toBe(false);
  });

  it('leaves the last three results, until they are closed', () => {
    for (const key of ['a', 'b', 'c', 'd']) {
      change({ type: 'ended', key, action: 'verify', outcome: { kind: 'lost' } });
    }
    expect(state.notices).toHaveLength(3);
    for (const { key } of state.notices) change({ type: 'dismissed', notice: key });
    expect(state.notices).toEqual([]);
  });
});

describe('the connection', () => {
  it('keeps the moment when it was lost', () => {
    change({ type: 'link', kind: 'lost', at: 1000 });
    change({ type: 'link', kind: 'lost', at: 2000 });
    expect(state.link).toEqual({ kind: 'lost', since: 1000 });
  });

  it('forgets a problem with the next answer', () => {
    change({ type: 'status-failed', error: { code: 'UNREACHABLE', message: '' } });
    expect(state.problem?.code).toBe('UNREACHABLE');
    read();
    expect(state).not.toHaveProperty('problem');
  });
});

const BACKUP = snapshotOf('shop', 'backup', Date.UTC(2026, 10, 23, 5));

function job(patch: Partial<Job>): Job {
  return { id: 'j1', action: 'backup', status: 'running', startedAt: '2026-11-23T05:00:00.000Z', ...patch };
}

const STATUS: StatusResponse = {
  success: true,
  session: {
    clientId: 'shop',
    state: 'awaiting_qr',
    stateSince: '2026-11-23T05:00:00.000Z',
    connected: false,
    hasSession: null,
    hasBackup: null,
    sessionSizeMb: null,
    backupSizeMb: null,
    maxSessionSizeMb: null,
    lastModified: null,
    lastSaved: null,
    lastBackup: null,
    reconnectAttempts: 0,
    maxReconnectAttempts: null,
    lastError: null,
    lastSaveError: null,
    lastBackupError: null,
    waiting: null,
    decision: null,
    storeLease: null,
    snapshots: [],
  },
  health: null,
  systemInfo: {
    sessionPath: '/s',
    backupPath: '/b',
    profilePath: '/p',
    platform: 'plain',
    isRailway: false,
    operatingSystem: 'linux',
    nodeVersion: 'v20.20.2',
    libraryVersion: '0.1.0',
    memory: { rssMb: 1, heapUsedMb: 1, heapTotalMb: 1 },
    uptimeSeconds: 1,
  },
  qr: null,
  pairingCode: null,
  jobs: [],
};
