import { describe, expect, it } from 'vitest';
import { rejections } from '../support/rejections.js';
import { API, TOKEN, useHttpStage } from './support/http-stage.js';

const stage = useHttpStage();

function fail(): never {
  throw new Error('a callback of the bot');
}

const FAILURES: [string, () => unknown][] = [
  ['throws', fail],
  ['rejects', async () => fail()],
  [
    'throws what has no text',
    () => {
      throw Object.create(null);
    },
  ],
];

describe('callbacks of the bot in the handler', () => {
  it.each(FAILURES)('a logger that %s refuses nobody and ends nothing', async (_name, write) => {
    const heard = rejections();
    const logger = { debug: write, info: write, warn: write, error: write } as never;
    stage().use({ logger });
    // A wrong token and a failed status are logged.
    const wrong = await stage().call(API, { bearer: false, headers: { authorization: `Bearer ${TOKEN}x` } });
    expect(wrong.status).toBe(401);
    stage().session.checkHealth = fail;
    stage().session.listSnapshots = fail;
    expect((await stage().call(API)).status).toBe(200);
    expect((await stage().call('/nothing', { bearer: false })).status).toBe(404);
    expect(await heard()).toEqual([]);
  });

  it.each(FAILURES)('a clock that %s is replaced by the system’s', async (_name, read) => {
    const heard = rejections();
    const clock = { now: read, monotonic: read, setTimeout: read, clearTimeout: read } as never;
    stage().use({ clock });
    expect((await stage().call(API)).status).toBe(200);
    expect((await stage().call(API, { bearer: false })).status).toBe(401);
    expect(await stage().logIn()).not.toBe('');
    expect(await heard()).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ...FAILURES,
    ['returns a text', () => 'true'],
    ['returns 1', async () => 1],
    ['returns an object', () => ({ allowed: true })],
    [
      'returns a foreign promise that rejects',
      () => Object.fromEntries([['then', (_: unknown, no: () => void) => no()]]),
    ],
    ['returns nothing', () => undefined],
  ])('an auth function that %s lets nobody in', async (_name, auth) => {
    const heard = rejections();
    stage().use({ auth: auth as never });
    expect((await stage().call(API, { bearer: false })).status).toBe(401);
    expect((await stage().call(API)).status).toBe(401);
    expect(await heard()).toEqual([]);
  });

  it('an auth function that hangs lets nobody in, and what it says afterwards is not heard', async () => {
    const heard = rejections();
    let reject: (error: Error) => void = () => undefined;
    stage().use({
      auth: () =>
        new Promise((_, no) => {
          reject = no;
        }),
    });
    const asked = stage().call(API);
    await stage().clock.advanceUntil(asked, { limitMs: 60_000 });
    expect((await asked).status).toBe(401);
    reject(new Error('too late'));
    expect(await heard()).toEqual([]);
  });
});
