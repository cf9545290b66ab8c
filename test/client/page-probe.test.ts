import { describe, expect, it } from 'vitest';
import { ClientDriver } from '../../src/client/client-driver.js';
import { accountId, browserVersion, fireSynced, lookAtPage } from '../../src/client/page-probe.js';
import { FakeClient } from '../../src/testing/fake-client.js';
import { FakeStage } from '../support/fake-stage.js';

const DEADLINE_MS = 5000;

async function launched() {
  const { fs, whatsApp, clock } = new FakeStage();
  const client = new FakeClient({ whatsApp, fs, puppeteer: { userDataDir: '/profile' } });
  const driver = new ClientDriver(client);
  await client.initialize();
  return { client, driver, clock };
}

describe('a look at the page', () => {
  it("tells the socket's own state", async () => {
    const { driver, clock } = await launched();
    expect(await lookAtPage(driver, clock, DEADLINE_MS)).toEqual({ state: 'UNPAIRED', hasSynced: false });
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
