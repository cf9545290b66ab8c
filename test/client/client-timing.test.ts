import { describe, expect, it } from 'vitest';
import type { ClientDriver } from '../../src/client/client-driver.js';
import { withClientTiming } from '../../src/client/client-timing.js';
import { rejections } from '../support/rejections.js';

/** The part of a driver that counts here, and who listens to it. */
function fakeDriver() {
  const listeners = new Set<(launched: Promise<unknown>) => void>();
  const state = { isClosing: false };
  const driver = {
    get isClosing() {
      return state.isClosing;
    },
    onLaunch: (listener: (launched: Promise<unknown>) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as ClientDriver;
  const launch = (launched: Promise<unknown>) => {
    for (const listener of listeners) listener(launched);
  };
  return { driver, state, listeners, launch };
}

/** The session's own start, which fails for good if it does at all. */
const over = (session: Promise<void>, isFinal = true) => ({ start: () => session, isFinal: () => isFinal });

function deferred() {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((_resolve, settle) => {
    reject = settle;
  });
  return { promise, reject };
}

const NEVER = new Promise<void>(() => undefined);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the timing of client.initialize()', () => {
  it("is that of the client's own start, whatever the session still does", async () => {
    const { driver, launch, listeners } = fakeDriver();
    const started = withClientTiming(driver, over(NEVER));
    launch(Promise.resolve());
    await started;
    await turn();
    expect(listeners.size).toBe(0);
  });

  it('leaves nothing behind at each call of an outage', async () => {
    const { driver, launch, listeners } = fakeDriver();
    const calls = Array.from({ length: 50 }, () => withClientTiming(driver, over(NEVER)));
    launch(Promise.reject(new Error('net::ERR_INTERNET_DISCONNECTED')));
    for (const call of calls) await expect(call).rejects.toThrow('ERR_INTERNET_DISCONNECTED');
    await turn();
    expect(listeners.size).toBe(0);
  });

  it('waits on over what the session closes itself, and what it repeats at once', async () => {
    const { driver, state, launch } = fakeDriver();
    const started = withClientTiming(driver, over(NEVER));
    state.isClosing = true;
    launch(Promise.reject(new Error('Protocol error: Target closed')));
    await turn();
    state.isClosing = false;
    launch(Promise.reject(new Error('Execution context was destroyed')));
    await turn();
    launch(Promise.resolve());
    await expect(started).resolves.toBeUndefined();
  });

  it('is that of the session where there is no start of the client', async () => {
    const { driver } = fakeDriver();
    await expect(withClientTiming(driver, over(Promise.resolve()))).resolves.toBeUndefined();
    await expect(withClientTiming(driver, over(Promise.reject(new Error('held'))))).rejects.toThrow('held');
  });

  describe('where nobody listens to it', () => {
    const refused = new Error('net::ERR_CONNECTION_REFUSED');
    const failed = new Error('all attempts are used up');

    it('leaves a failure for good to node, which ends the process and says why', async () => {
      const heard = rejections();
      withClientTiming(fakeDriver().driver, over(Promise.reject(failed)));
      expect(await heard()).toEqual([failed]);
    });

    it('leaves it to node also after a first failure that the session went on from', async () => {
      const heard = rejections();
      const { driver, launch } = fakeDriver();
      const session = deferred();
      withClientTiming(driver, over(session.promise));
      launch(Promise.reject(refused));
      await turn();
      session.reject(failed);
      expect(await heard()).toEqual([failed]);
    });

    it('says nothing while the session goes on, nor where somebody has ended it', async () => {
      const heard = rejections();
      const { driver, launch } = fakeDriver();
      withClientTiming(driver, over(NEVER));
      launch(Promise.reject(refused));
      withClientTiming(fakeDriver().driver, over(Promise.reject(new Error('closed')), false));
      expect(await heard()).toEqual([]);
    });
  });

  it.each<[string, (started: Promise<void>) => unknown]>([
    ['catch()', (started) => started.catch(() => undefined)],
    ['then()', (started) => started.then(undefined, () => undefined)],
    [
      'await',
      async (started) => {
        try {
          await started;
        } catch {
          // the bot's own answer to it
        }
      },
    ],
  ])('leaves nothing to node where the bot has heard the first failure by %s', async (_how, listen) => {
    const heard = rejections();
    const { driver, launch } = fakeDriver();
    const session = deferred();
    let hears: () => boolean = () => false;
    const started = withClientTiming(driver, {
      start: (asked) => {
        hears = asked;
        return session.promise;
      },
      isFinal: () => true,
    });
    expect(hears()).toBe(true);
    listen(started);
    launch(Promise.reject(new Error('net::ERR_CONNECTION_REFUSED')));
    await turn();
    expect(hears()).toBe(false); // a failure for good would reach nobody through it any more
    session.reject(new Error('all attempts are used up'));
    expect(await heard()).toEqual([]);
  });
});
