import { describe, expect, it } from 'vitest';
import {
  ClosedError,
  ConfigurationError,
  type DisconnectCause,
  type HealthCheckId,
  InvalidStateError,
  LeaseHeldError,
  LeaseLostError,
  ProfileLockedError,
  type RestoreReason,
  type SkipReason,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  SnapshotUnsafeError,
  StartFailedError,
  type StopCause,
  StoreConflictError,
  StoreError,
  TimeoutError,
} from '../../src/index.js';
import { TRANSITIONS } from '../../src/state.js';
import { LIBRARY_VERSION } from '../../src/version.js';
import { BACKUP, healthReport, SAVE } from './support/fake-session.js';
import { API, useHttpStage } from './support/http-stage.js';
import { openapi } from './support/openapi.js';

// A new one is missed here by the compiler.
const CAUSES: Readonly<Record<DisconnectCause, true>> = {
  'browser-gone': true,
  'page-crashed': true,
  timeout: true,
  conflict: true,
  unresponsive: true,
  unpaired: true,
  'deprecated-version': true,
  'proxy-blocked': true,
  'tos-blocked': true,
  'state-lost': true,
  'network-down': true,
  'never-ready': true,
  'logged-out': true,
  'start-failed': true,
  requested: true,
};
const STOPS: Readonly<Record<StopCause, true>> = {
  'auth-failure': true,
  'qr-retries-used': true,
  replaced: true,
};
const REASONS: Readonly<Record<RestoreReason, true>> = {
  'profile-absent': true,
  'profile-damaged': true,
  'silent-logout': true,
  'newer-snapshot': true,
  'browser-too-old': true,
  'never-ready': true,
  imported: true,
  requested: true,
};
const SKIPPED: Readonly<Record<SkipReason, true>> = {
  unchanged: true,
  'not-ready': true,
  unsound: true,
  'no-lease': true,
  'no-space': true,
};
const CHECKS: Readonly<Record<HealthCheckId, true>> = {
  connection: true,
  profile: true,
  'session-size': true,
  'last-save': true,
  'last-backup': true,
  storage: true,
  'disk-space': true,
  memory: true,
  'event-loop': true,
  reconnect: true,
  lease: true,
};

const MESSAGE = { action: 'send-test-message', phoneNumber: '201234567890', message: 'رسالة تجريبية' };
const stage = useHttpStage();

describe('GET the status', () => {
  it('tells the session, its health and where it lies by the documented names', async () => {
    const { status, json } = await stage().call(API);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      success: true,
      session: {
        clientId: 'shop',
        state: 'ready',
        connected: true,
        hasSession: true,
        hasBackup: true,
        sessionSizeMb: 12,
        backupSizeMb: 2,
        maxSessionSizeMb: 150,
        lastModified: '2026-11-23T05:14:00.000Z',
        lastSaved: SAVE.createdAt,
        lastBackup: BACKUP.createdAt,
        reconnectAttempts: 0,
        maxReconnectAttempts: 5,
        lastError: null,
        snapshots: [{ id: BACKUP.id }, { id: SAVE.id }],
      },
      health: { score: 92, status: 'healthy' },
      systemInfo: {
        sessionPath: '/bot/persistent-session',
        backupPath: '/bot/session-backup',
        isRailway: false,
        nodeVersion: process.version,
        libraryVersion: LIBRARY_VERSION,
      },
      qr: null,
      pairingCode: null,
      jobs: [],
    });
  });

  it('says null, not no, while no store answers', async () => {
    stage().session.fail('listSnapshots', new StoreError('s3: down'));
    stage().session.statusPatch = { state: 'stopped' };
    const { json } = await stage().call(API);
    expect(json.session).toMatchObject({ hasBackup: null, snapshots: null, backupSizeMb: null });
  });

  it('waits for a store that hangs no longer than its deadline', async () => {
    stage().session.hang('listSnapshots');
    const { status, json } = await stage().clock.advanceUntil(stage().call(API));
    expect(status).toBe(200);
    expect(json.session).toMatchObject({ hasBackup: null });
  });

  it('asks store and disk once, however often it is asked itself, and anew after a change', async () => {
    const { session } = stage();
    await Promise.all([stage().call(API), stage().call(API), stage().call(API)]);
    expect(session.called('listSnapshots')).toBe(1);
    expect(session.called('checkHealth')).toBe(1);
    session.emit('backup:completed', { snapshot: BACKUP, durationMs: 1, bytesWritten: 1 });
    session.emit('health:checked', { report: healthReport({ score: 12 }) });
    expect((await stage().call(API)).json.health).toMatchObject({ score: 12 });
    expect(session.called('listSnapshots')).toBe(2);
    expect(session.called('checkHealth')).toBe(1);
  });

  it('does not take an answer for the truth that was asked for before a change', async () => {
    const { session } = stage();
    const finish = session.hang('listSnapshots', []);
    const early = stage().call(API);
    await expect.poll(() => session.called('listSnapshots')).toBe(1);
    session.answer('listSnapshots', async () => [BACKUP]);
    session.emit('backup:completed', { snapshot: BACKUP, durationMs: 1, bytesWritten: 1 });
    expect((await stage().call(API)).json.session).toMatchObject({ hasBackup: true });
    finish();
    await early;
    expect((await stage().call(API)).json.session).toMatchObject({ hasBackup: true });
  });

  it('has the QR while one waits, and no longer', async () => {
    const { session } = stage();
    session.moveTo('awaiting_qr');
    session.client.emit('qr', '2@abc,def');
    session.client.emit('code', 'ABCD1234');
    expect((await stage().call(API)).json).toMatchObject({
      qr: { value: '2@abc,def', receivedAt: '2026-11-23T06:00:00.000Z' },
      pairingCode: { value: 'ABCD1234' },
    });
    session.client.emit('qr', '2@next,def');
    expect((await stage().call(API)).json).toMatchObject({ qr: { value: '2@next,def' } });
    session.client.emit('authenticated');
    expect((await stage().call(API)).json).toMatchObject({ qr: null, pairingCode: null });
  });

  it('has the QR that came before the handler was made', async () => {
    const { session } = stage();
    session.moveTo('awaiting_qr');
    session.pairing = { kind: 'qr', value: '2@early,def', receivedAt: '2026-11-23T05:59:00.000Z' };
    stage().use({});
    expect((await stage().call(API)).json).toMatchObject({
      qr: { value: '2@early,def', receivedAt: '2026-11-23T05:59:00.000Z' },
    });
    session.fail('backup', new StoreError('cannot draw 2@early,def'));
    expect((await stage().act({ action: 'backup' }, { query: '?wait' })).text).not.toContain('2@early');
  });

  it('has the QR that comes after the bot has removed all listeners of its client', async () => {
    const { session } = stage();
    session.moveTo('awaiting_qr');
    session.client.removeAllListeners();
    await Promise.resolve();
    session.client.emit('qr', '2@abc,def');
    expect((await stage().call(API)).json).toMatchObject({ qr: { value: '2@abc,def' } });
    expect((await stage().call(`${API}/qr.svg`)).text).toMatch(/^<svg/);
    session.client.emit('authenticated');
    expect((await stage().call(API)).json).toMatchObject({ qr: null });
  });

  it('has the QR of the session although the client told nothing of it', async () => {
    const { session } = stage();
    session.moveTo('awaiting_qr');
    session.pairing = { kind: 'qr', value: '2@quiet,def', receivedAt: '2026-11-23T05:59:00.000Z' };
    expect((await stage().call(API)).json).toMatchObject({ qr: { value: '2@quiet,def' } });
    session.emit('warning', { code: 'pairing-expired', message: 'nobody scanned it' });
    expect((await stage().call(API)).json).toMatchObject({ qr: null });
  });

  it('leaves no listener on the client when it is closed', () => {
    const { session, handler } = stage();
    session.client.removeAllListeners('qr');
    handler.close();
    expect(session.client.eventNames()).toEqual([]);
  });

  it.each(['authenticated', 'ready', 'stopping', 'failed'] as const)(
    'drops the QR when %s',
    async (state) => {
      stage().session.moveTo('awaiting_qr');
      stage().session.client.emit('qr', '2@abc,def');
      expect((await stage().call(`${API}/qr.svg`)).text).toMatch(/^<svg/);
      stage().session.moveTo(state);
      expect((await stage().call(`${API}/qr.svg`)).json.error).toMatchObject({ code: 'NOT_FOUND' });
    },
  );
});

describe('POST an action', () => {
  it.each([
    [{ action: 'initialize' }, ['initialize'], { state: 'ready' }],
    [{ action: 'clear' }, ['clear', { logout: false }], { state: 'ready' }],
    [{ action: 'clear', logout: true }, ['clear', { logout: true }], { state: 'ready' }],
    [{ action: 'health-check' }, ['checkHealth'], { score: 92 }],
    [MESSAGE, ['sendTestMessage', '201234567890', 'رسالة تجريبية'], { chatId: '201234567890@c.us' }],
    [{ action: 'backup' }, ['backup'], { snapshot: BACKUP }],
    [{ action: 'force-save' }, ['forceSave'], { snapshot: SAVE }],
    [{ action: 'restore', snapshotId: BACKUP.id }, ['restore', BACKUP.id], { snapshot: BACKUP }],
    [{ action: 'restore' }, ['restore', undefined], { snapshot: BACKUP }],
    [{ action: 'verify' }, ['verify', undefined], { sound: [BACKUP, SAVE] }],
    [{ action: 'verify', snapshotId: SAVE.id }, ['verify', SAVE.id], { corrupt: [] }],
    [{ action: 'reconnect' }, ['reconnect'], { state: 'ready' }],
    [{ action: 'prune' }, ['prune'], { freedBytes: 4096 }],
    [{ action: 'destroy' }, ['destroy'], { state: 'ready' }],
  ])('%j', async (body, call, result) => {
    const { status, json } = await stage().act(body, { query: '?wait' });
    expect(json).toMatchObject({ success: true, action: body.action, result });
    expect(status).toBe(200);
    expect(stage().session.calls).toEqual([call]);
  });

  it.each(['initialize', 'health-check'])(
    '%s is answered with its result without being asked to',
    async (action) => {
      expect((await stage().act({ action })).status).toBe(200);
    },
  );

  it.each(['clear', 'backup', 'force-save', 'restore', 'verify', 'reconnect', 'prune', 'destroy'])(
    '%s is answered at once, with a job',
    async (action) => {
      const { status, json, headers } = await stage().act({ action });
      expect(status).toBe(202);
      expect(json).toMatchObject({ success: true, action, job: { action } });
      const { id } = json.job as { id: string };
      expect(headers.get('location')).toBe(`persistent-session/jobs/${id}`);
      await expect
        .poll(async () => (await stage().call(`${API}/jobs/${id}`)).json.job)
        .toMatchObject({ id, status: 'completed', result: expect.anything() });
    },
  );

  it('becomes a job when it takes longer than the deadline', async () => {
    const finish = stage().session.hang('initialize');
    const { status, json } = await stage().clock.advanceUntil(stage().act({ action: 'initialize' }));
    expect(status).toBe(202);
    const { id } = json.job as { id: string };
    expect((await stage().call(`${API}/jobs/${id}`)).json.job).toMatchObject({ status: 'running' });
    finish();
    expect((await stage().call(`${API}/jobs/${id}`)).json.job).toMatchObject({ status: 'completed' });
  });

  it('waits as many seconds as the caller asks for', async () => {
    const startedAt = stage().clock.monotonic();
    stage().session.hang('verify');
    const { status } = await stage().clock.advanceUntil(
      stage().act({ action: 'verify' }, { query: '?wait=7' }),
    );
    expect(status).toBe(202);
    expect(stage().clock.monotonic() - startedAt).toBe(7000);
  });

  it('asked for again while it runs is the same job', async () => {
    const finish = stage().session.hang('backup', { skipped: 'unchanged' });
    const [one, two] = [await stage().act({ action: 'backup' }), await stage().act({ action: 'backup' })];
    expect((one.json.job as { id: string }).id).toBe((two.json.job as { id: string }).id);
    expect(stage().session.called('backup')).toBe(1);
    finish();
  });

  it.each([
    ['restore', new SnapshotNotFoundError('no snapshot has this id'), 404],
    ['restore', new SnapshotCorruptError('torn'), 422],
    ['restore', new SnapshotUnsafeError('escapes'), 422],
    ['initialize', new LeaseHeldError('another process has it'), 409],
    ['initialize', new ProfileLockedError('another browser has it'), 409],
    ['initialize', new ClosedError('destroyed'), 409],
    ['initialize', new StartFailedError('used up'), 502],
    ['initialize', new ConfigurationError('sessionPath: not writable'), 500],
    ['backup', new StoreError('the store is down'), 502],
    ['backup', new StoreConflictError('changed'), 409],
    ['backup', new LeaseLostError('lost'), 409],
    ['sendTestMessage', new TimeoutError('took too long'), 504],
    ['sendTestMessage', new InvalidStateError('not ready'), 409],
    ['sendTestMessage', new Error('Evaluation failed'), 500],
    ['sendTestMessage', 'a text', 500],
  ] as const)('%s that fails with %s answers it', async (method, error, status) => {
    stage().session.fail(method, error);
    const body = method === 'sendTestMessage' ? MESSAGE : { action: method };
    const answer = await stage().act(body, { query: '?wait' });
    expect(answer.status).toBe(status);
    const code = error instanceof Error && 'code' in error ? error.code : 'INTERNAL';
    expect(answer.json).toMatchObject({ success: false, error: { code } });
    expect((await stage().call(API)).json.jobs).toMatchObject([{ status: 'failed', error: { code } }]);
  });

  it.each([
    [{}, 'UNKNOWN_ACTION'],
    [{ action: 'toString' }, 'UNKNOWN_ACTION'],
    [{ action: '__proto__' }, 'UNKNOWN_ACTION'],
    [{ action: ['clear'] }, 'UNKNOWN_ACTION'],
    [{ action: 'backup', force: true }, 'INVALID_REQUEST'],
    [{ action: 'clear', logout: 'yes' }, 'INVALID_REQUEST'],
    [{ action: 'restore', snapshotId: '../../etc/passwd' }, 'INVALID_REQUEST'],
    [{ action: 'restore', snapshotId: { $ne: null } }, 'INVALID_REQUEST'],
    [{ ...MESSAGE, phoneNumber: 201234567890 }, 'INVALID_REQUEST'],
    [{ ...MESSAGE, phoneNumber: '12345' }, 'INVALID_REQUEST'],
    [{ ...MESSAGE, phoneNumber: '201234567890@g.us' }, 'INVALID_REQUEST'],
    [{ ...MESSAGE, phoneNumber: '٢٠١٢٣٤٥٦٧٨٩٠' }, 'INVALID_REQUEST'],
    [{ ...MESSAGE, message: ' \n' }, 'INVALID_REQUEST'],
    [{ ...MESSAGE, message: 'x'.repeat(4097) }, 'INVALID_REQUEST'],
    [{ action: 'send-test-message' }, 'INVALID_REQUEST'],
  ])('%j is refused', async (body, code) => {
    const { status, json } = await stage().act(body);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code });
    expect(stage().session.calls).toEqual([]);
  });

  it.each(['0', '61', '-1', '1e3', 'x', '1%00'])('?wait=%s is refused', async (wait) => {
    const { json } = await stage().act({ action: 'backup' }, { query: `?wait=${wait}` });
    expect(json.error).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(stage().session.calls).toEqual([]);
  });
});

describe('the probes', () => {
  it('are up while a QR waits, and ready when the session is', async () => {
    stage().session.moveTo('awaiting_qr');
    expect((await stage().call('/healthz', { bearer: false })).json).toEqual({ success: true, status: 'up' });
    expect((await stage().call('/readyz')).json.error).toMatchObject({ code: 'NOT_READY' });
    stage().session.moveTo('ready');
    expect((await stage().call('/readyz')).json).toEqual({ success: true, status: 'ready' });
  });
});

describe('the document', () => {
  it('is one of OpenAPI 3.1 whose references all lead somewhere', () => {
    const text = JSON.stringify(openapi);
    expect(openapi).toMatchObject({ openapi: '3.1.0' });
    for (const [, reference = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = reference
        .split('/')
        .reduce<unknown>((at, step) => (at as Record<string, unknown>)?.[step], openapi);
      expect(found, reference).toBeDefined();
    }
  });

  it.each([
    ['State', Object.keys(TRANSITIONS)],
    ['DisconnectCause', Object.keys(CAUSES)],
    ['StopCause', Object.keys(STOPS)],
    ['RestoreReason', Object.keys(REASONS)],
    ['SkipReason', Object.keys(SKIPPED)],
    ['HealthCheckId', Object.keys(CHECKS)],
  ])('names every %s', (name, values) => {
    expect([...(openapi.components.schemas[name]?.enum ?? [])].sort()).toEqual([...values].sort());
  });
});
