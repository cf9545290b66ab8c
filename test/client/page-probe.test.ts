import { describe, expect, it } from 'vitest';
import { ClientDriver } from '../../src/client/client-driver.js';
import { accountId, browserVersion, fireSynced, lookAtPage, probePage } from '../../src/client/page-probe.js';
import { type Clock, systemClock } from '../../src/clock.js';
import { FakeClient } from '../../src/testing/fake-client.js';
import { FakeStage } from '../support/fake-stage.js';

const DEADLINE_MS = 5000;

async function launched() {
  const { fs, whatsApp, clock } = new FakeStage();
  const client = new FakeClient({ whatsApp, fs, puppeteer: { userDataDir: '/profile' } });
  const driver = new ClientDriver(client, systemClock);
  await driver.launch();
  return { client, driver, clock };
}

describe('a look at the page', () => {
  it("tells the socket's own state", async () => {
    const { driver, clock } = await launched();
    const look = await lookAtPage(driver, clock, DEADLINE_MS);
    expect(look).toEqual({ state: 'UNPAIRED', hasSynced: false, injected: false });
  });

  it('tells nothing without a browser, of a page that is none of WhatsApp, and of one that rejects', async () => {
    const { client, driver, clock } = await launched();
    const { pupPage } = client;
    if (pupPage) pupPage.evaluate = async () => undefined;
    expect(await lookAtPage(driver, clock, DEADLINE_MS)).toBeUndefined();
    if (pupPage) pupPage.evaluate = () => Promise.reject(new Error('Execution context was destroyed'));
    expect(await lookAtPage(driver, clock, DEADLINE_MS)).toBeUndefined();
    client.pupBrowser?.kill();
    expect(await lookAtPage(driver, clock, DEADLINE_MS)).toBeUndefined();
  });

  it('gives up on a page that hangs after a crash', async () => {
    const { client, driver, clock } = await launched();
    client.pupPage?.crash();
    const look = lookAtPage(driver, clock, DEADLINE_MS);
    await clock.advance(DEADLINE_MS);
    expect(await look).toBeUndefined();
    const wake = fireSynced(driver, clock, DEADLINE_MS);
    await clock.advance(DEADLINE_MS);
    await wake;
    client.pupBrowser?.kill();
  });
});

describe('a probe of the page', () => {
  it('is answered by a page that lives, whatever its state', async () => {
    const { driver, clock } = await launched();
    const probe = await probePage(driver, clock, DEADLINE_MS);
    expect(probe).toEqual({ answered: true, state: 'UNPAIRED', durationMs: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not asked for of a page that is being closed: it would outlast the session', async () => {
    const { client, driver, clock } = await launched();
    Object.assign(client.pupPage ?? {}, { hangs: true });
    driver.beginClosing();
    expect(await probePage(driver, clock, DEADLINE_MS)).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
    client.pupBrowser?.kill();
  });

  it('is not answered by a page that hangs, nor by one whose browser is gone', async () => {
    const { client, driver, clock } = await launched();
    Object.assign(client.pupPage ?? {}, { hangs: true });
    const probe = probePage(driver, clock, DEADLINE_MS);
    await clock.advance(DEADLINE_MS);
    expect(await probe).toEqual({ answered: false, state: undefined, durationMs: DEADLINE_MS });
    client.pupBrowser?.kill();
    expect(await probePage(driver, clock, DEADLINE_MS)).toMatchObject({ answered: false });
  });

  it('is none without a page', async () => {
    const { client, driver, clock } = await launched();
    client.pupPage = null;
    expect(await probePage(driver, clock, DEADLINE_MS)).toBeUndefined();
  });

  it('hears the answer that waited while the bot blocked its event loop beyond the deadline', async () => {
    const { client, driver } = await launched();
    const due: (() => void)[] = [];
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      setTimeout: (callback) => due.push(callback),
      clearTimeout: () => undefined,
    };
    let answer: (look: unknown) => void = () => undefined;
    if (client.pupPage) {
      client.pupPage.evaluate = () =>
        new Promise((resolve) => {
          answer = resolve;
        });
    }
    const probe = probePage(driver, clock, DEADLINE_MS);
    for (const callback of due.splice(0)) callback(); // all that is due by now, before any socket is read
    setImmediate(() => answer({ state: 'CONNECTED', hasSynced: true }));
    expect(await probe).toMatchObject({ answered: true, state: 'CONNECTED' });
  });
});

describe('other questions', () => {
  it('are answered by the browser and the client: version and account', async () => {
    const { client, driver, clock } = await launched();
    expect(await browserVersion(driver, clock, DEADLINE_MS)).toBe('Fake/1.0');
    expect(accountId(driver)).toBeUndefined();
    client.info = { wid: { _serialized: '4915100000001@c.us' } };
    expect(accountId(driver)).toBe('4915100000001@c.us');
    client.info = { wid: { _serialized: '' } };
    expect(accountId(driver)).toBeUndefined();
  });

  it('have no answer without a browser, or when it does not say', async () => {
    const { client, driver, clock } = await launched();
    if (client.pupBrowser) client.pupBrowser.version = () => Promise.reject(new Error('closed'));
    expect(await browserVersion(driver, clock, DEADLINE_MS)).toBeUndefined();
    client.pupBrowser = null;
    client.pupPage = null;
    expect(await browserVersion(driver, clock, DEADLINE_MS)).toBeUndefined();
    await expect(fireSynced(driver, clock, DEADLINE_MS)).resolves.toBeUndefined();
  });
});
