import { describe, expect, it } from 'vitest';
import type { ClientDriver } from '../../src/client/client-driver.js';
import { withClientTiming } from '../../src/client/client-timing.js';

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

const NEVER = new Promise<void>(() => undefined);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the timing of client.initialize()', () => {
  it("is that of the client's own start, whatever the session still does", async () => {
    const { driver, launch, listeners } = fakeDriver();
    const started = withClientTiming(driver, NEVER);
    launch(Promise.resolve());
    await started;
    await turn();
    expect(listeners.size).toBe(0);
  });

  it('leaves nothing behind at each call of an outage', async () => {
    const { driver, launch, listeners } = fakeDriver();
    const calls = Array.from({ length: 50 }, () => withClientTiming(driver, NEVER));
    launch(Promise.reject(new Error('net::ERR_INTERNET_DISCONNECTED')));
    for (const call of calls) await expect(call).rejects.toThrow('ERR_INTERNET_DISCONNECTED');
    await turn();
    expect(listeners.size).toBe(0);
  });

  it('waits on over what the session closes itself, and what it repeats at once', async () => {
    const { driver, state, launch } = fakeDriver();
    const started = withClientTiming(driver, NEVER);
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
    await expect(withClientTiming(driver, Promise.resolve())).resolves.toBeUndefined();
    await expect(withClientTiming(driver, Promise.reject(new Error('held')))).rejects.toThrow('held');
  });
});
