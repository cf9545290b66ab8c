import { describe, expect, it } from 'vitest';
import {
  InvalidStateError,
  SnapshotCorruptError,
  SnapshotNotFoundError,
  StoreError,
  TimeoutError,
} from '../../src/index.js';
import { BACKUP } from './support/fake-session.js';
import { API, DASHBOARD, HttpStage, TOKEN } from './support/http-stage.js';
import { openapi, operationOf } from './support/openapi.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const ZIP = `${API}/snapshots/${BACKUP.id}`;
const NO_JOB = `${API}/jobs/00000000-0000-4000-8000-000000000000`;
const ALL_GET = [API, `${API}/events`, `${API}/qr.svg`, ZIP, NO_JOB, '/readyz', DASHBOARD];

/** One way to each answer; `call()` holds every one of them against the document. */
const SCENARIOS: Readonly<Record<string, (stage: HttpStage) => Promise<unknown>>> = {
  'reading everything': async (stage) => {
    stage.use({ allowDownload: true });
    stage.session.client.emit('qr', '2@abc,def');
    for (const path of [API, `${API}/qr.svg`, ZIP, '/healthz', '/readyz', DASHBOARD]) await stage.call(path);
    const { json } = await stage.act({ action: 'prune' });
    await stage.call(`${API}/jobs/${(json.job as { id: string }).id}`);
    const stream = stage.call(`${API}/events`);
    await expect.poll(() => stage.clock.pendingTimers).toBe(1); // its heartbeat: it is open
    stage.handler.close();
    await stream;
  },
  'no token': async (stage) => {
    for (const path of ALL_GET) await stage.call(path, { bearer: false });
    await stage.act({ action: 'clear' }, { bearer: false });
    await stage.call(`${DASHBOARD}/logout`, { method: 'POST', bearer: false });
  },
  'too many wrong tokens': async (stage) => {
    const wrong = { bearer: false, headers: { authorization: 'Bearer wrong' } };
    for (let n = 0; n < 10; n++) await stage.call(API, wrong);
    for (const path of ALL_GET) await stage.call(path, wrong);
    await stage.act({ action: 'clear' }, wrong);
    await stage.call(`${DASHBOARD}/logout`, { method: 'POST', ...wrong });
    await logIn(stage, 'wrong');
  },
  'another origin': async (stage) => {
    stage.use({ auth: 'none' });
    const headers = { ...JSON_TYPE, origin: 'https://evil.example' };
    for (const path of [API, `${DASHBOARD}/logout`]) {
      await stage.call(path, { method: 'POST', headers, body: '{}' });
    }
    stage.use({});
    await stage.call(`${DASHBOARD}/login`, { method: 'POST', headers, body: '{}' });
  },
  'another host name': async (stage) => {
    stage.use({ auth: 'none', allowedHosts: ['bot.example'] });
    for (const path of ALL_GET) await stage.call(path);
  },
  'a handler that is closed': async (stage) => {
    stage.handler.close();
    await stage.call(`${API}/events`);
  },
  'nothing there': async (stage) => {
    stage.use({ allowDownload: true });
    stage.session.fail('openBackup', new SnapshotNotFoundError('no such one'));
    for (const path of [`${API}/qr.svg`, NO_JOB, ZIP]) await stage.call(path);
    stage.use({ auth: 'none' });
    for (const path of [`${DASHBOARD}/login`, `${DASHBOARD}/logout`]) {
      await stage.call(path, { method: 'POST', headers: JSON_TYPE, body: '{}' });
    }
  },
  'downloads refused': async (stage) => {
    await stage.call(ZIP);
    stage.use({ allowDownload: true });
    for (const error of [new InvalidStateError('a save'), new SnapshotCorruptError('torn')]) {
      stage.session.fail('openBackup', error);
      await stage.call(ZIP);
    }
  },
  'actions that end': async (stage) => {
    await stage.act({ action: 'backup' }, { query: '?wait' });
    await stage.act({ action: 'backup' });
    const failures = [
      new SnapshotNotFoundError('x'),
      new InvalidStateError('x'),
      new SnapshotCorruptError('x'),
      new Error('x'),
      new StoreError('x'),
      new TimeoutError('x'),
    ];
    for (const error of failures) {
      stage.session.fail('verify', error);
      await stage.act({ action: 'verify' }, { query: '?wait' });
    }
  },
  'bodies refused': async (stage) => {
    stage.use({ bodyDeadlineMs: 50 });
    for (const path of [API, `${DASHBOARD}/login`]) {
      const send = (headers: Record<string, string>, body: string | ReadableStream<Uint8Array>) =>
        stage.call(path, { method: 'POST', headers, body });
      await send(JSON_TYPE, '{');
      await send(JSON_TYPE, ' '.repeat(40_000));
      await send({ 'content-type': 'text/plain' }, '{}');
      await stage.clock.advanceUntil(send(JSON_TYPE, endless()));
    }
    stage.use({ auth: 'none' });
    await stage.act({ action: 'clear' }, { headers: { origin: stage.origin } });
  },
  'a login and a logout': async (stage) => {
    await logIn(stage, 'wrong');
    await stage.call(`${DASHBOARD}/login`, { bearer: false });
    await stage.call(`${DASHBOARD}/login`, { method: 'POST', headers: FORM_TYPE, body: `token=${TOKEN}` });
    for (const accept of ['application/json', 'text/html']) {
      const headers = { cookie: await stage.logIn(), origin: stage.origin, accept };
      await stage.call(`${DASHBOARD}/logout`, { method: 'POST', bearer: false, headers });
    }
  },
  'a session that is not ready': async (stage) => {
    stage.session.moveTo('reconnecting');
    await stage.call('/readyz');
  },
};

describe('docs/openapi.yaml', () => {
  it('holds for every route and every status, and each of them is really answered', async () => {
    const seen = new Set<string>();
    for (const [name, run] of Object.entries(SCENARIOS)) {
      const stage = new HttpStage();
      await stage.open();
      try {
        await run(stage);
      } catch (error) {
        throw new Error(`scenario "${name}"`, { cause: error });
      } finally {
        await stage.close();
      }
      for (const { method, pathname, status } of stage.seen)
        seen.add(`${operationOf(method, pathname)} ${status}`);
    }
    const promised = Object.entries(openapi.paths).flatMap(([, operations]) =>
      Object.values(operations).flatMap(({ operationId, responses }) =>
        Object.keys(responses)
          .filter((status) => status !== 'default')
          .map((status) => `${operationId} ${status}`),
      ),
    );
    expect(promised.filter((answer) => !seen.has(answer))).toEqual([]);
  });
});

/** A body that begins, and never ends. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) });
}

function logIn(stage: HttpStage, token: string): Promise<unknown> {
  const headers = JSON_TYPE;
  return stage.call(`${DASHBOARD}/login`, { method: 'POST', headers, body: JSON.stringify({ token }) });
}
