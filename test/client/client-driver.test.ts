import { describe, expect, it } from 'vitest';
import { ClientDriver, type ClientSupervisor } from '../../src/client/client-driver.js';
import type { ClientEvent } from '../../src/client/client-event.js';
import { systemClock } from '../../src/clock.js';
import { FakeClient, type FakeClientOptions } from '../../src/testing/fake-client.js';
import { FakeStage } from '../support/fake-stage.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A driven client whose profile is there, and what its supervisor hears and is asked. */
function driven(options: Partial<FakeClientOptions> = {}) {
  const { fs, whatsApp } = new FakeStage();
  const client = new FakeClient({ whatsApp, fs, puppeteer: { userDataDir: '/profile' }, ...options });
  const events: ClientEvent[] = [];
  const calls: string[] = [];
  const rules = { mayPair: true };
  const supervisor: ClientSupervisor = {
    onClientEvent: (event) => void events.push(event),
    mayPair: () => rules.mayPair,
    onBotInitialize: async () => void calls.push('initialize'),
    onBotDestroy: async () => void calls.push('destroy'),
    onBotLogout: async () => void calls.push('logout'),
  };
  const driver = new ClientDriver(client, systemClock);
  driver.attach(supervisor);
  return { client, driver, whatsApp, events, calls, rules, types: () => events.map(({ type }) => type) };
}

describe('a driven client', () => {
  it('tells of its browser, its navigation and its QR, before the bot hears of the QR', async () => {
    const { client, driver, events } = driven();
    let toldBefore = false;
    client.on('qr', () => {
      toldBefore = events.some(({ type }) => type === 'pairing');
    });
    await driver.launch();
    expect(events).toEqual([
      { type: 'browser-launched', pid: undefined },
      { type: 'progress' },
      { type: 'pairing', via: 'qr' },
    ]);
    expect(toldBefore).toBe(true);
    expect(driver.connected).toBe(true);
  });

  it('opens no page before the verdict on its browser is in, and none after a bad one', async () => {
    const { client, driver, types } = driven();
    let decide: () => void = () => undefined;
    driver.holdNavigation(() => new Promise((resolve) => (decide = resolve)));
    const launching = driver.launch();
    await turn();
    expect(types()).toEqual(['browser-launched']);
    decide();
    await launching;
    expect(types()).toContain('progress');
    await driver.close();

    driver.holdNavigation(() => Promise.reject(new Error('too old')));
    await expect(driver.launch()).rejects.toThrow('too old');
    await expect(client.pupPage?.goto('https://web.whatsapp.com/')).rejects.toThrow('too old');
    expect(client.pupPage?.url()).toBe('about:blank');
  });

  it('opens no page of a browser that is being closed', async () => {
    const { client, driver } = driven();
    let decide: () => void = () => undefined;
    driver.holdNavigation(() => new Promise((resolve) => (decide = resolve)));
    const launching = driver.launch();
    await turn();
    driver.beginClosing();
    decide();
    await expect(launching).rejects.toMatchObject({ code: 'CLOSED' });
    expect(client.pupPage?.url()).toBe('about:blank');
  });

  it('holds a QR back where it may not pair, and says so', async () => {
    const { client, driver, rules, types } = driven();
    const heard: unknown[] = [];
    client.on('qr', (qr) => heard.push(qr));
    rules.mayPair = false;
    await driver.launch();
    expect(heard).toEqual([]);
    expect(types()).toContain('pairing-held');
  });

  it('requests no pairing code where it may not pair', async () => {
    const { driver, rules, types, whatsApp } = driven({ pairWithPhoneNumber: '4915100000001' });
    rules.mayPair = false;
    await driver.launch();
    await turn();
    expect(whatsApp.codes).toBe(0);
    expect(types()).toContain('pairing-held');
  });

  it("hands the bot's calls to the supervisor", async () => {
    const { client, calls } = driven();
    await client.initialize();
    await client.destroy();
    await client.logout();
    expect(calls).toEqual(['initialize', 'destroy', 'logout']);
    expect(client.launches).toBe(0);
  });

  it("takes the client's own destroy() after a lost state for its own, and a later one for the bot's", async () => {
    const { client, driver, calls } = driven();
    await driver.launch();
    await client.changeState('PROXYBLOCK');
    expect(calls).toEqual([]);
    await turn();
    await client.destroy();
    expect(calls).toEqual(['destroy']);
  });

  it("takes a destroy() in a `disconnected` listener for the bot's", async () => {
    const { client, driver, calls } = driven();
    await driver.launch();
    client.on('disconnected', () => void client.destroy());
    await client.changeState('PROXYBLOCK');
    expect(calls).toEqual(['destroy']);
  });

  it('has no more news after `disconnected`: neither a QR nor the end of the browser', async () => {
    const { client, driver, types } = driven();
    const heard: unknown[] = [];
    await driver.launch();
    client.on('qr', (qr) => heard.push(qr));
    const before = types().length;
    await client.logOutByPhone();
    await turn();
    client.showQr();
    client.pupBrowser?.kill();
    expect(types().slice(before)).toEqual(['progress', 'disconnected']);
    expect(heard).toEqual([]);
  });

  it('tells of the end of its browser and of a crashed page, but not of those of an earlier start', async () => {
    const { client, driver, types } = driven();
    await driver.launch();
    const { pupBrowser, pupPage } = client;
    await driver.close();
    await driver.launch();
    pupBrowser?.emit('disconnected');
    pupPage?.crash();
    expect(types()).not.toContain('browser-gone');
    expect(types()).not.toContain('page-crashed');
    client.pupPage?.emit('close');
    client.pupBrowser?.kill();
    expect(types().slice(-2)).toEqual(['page-crashed', 'browser-gone']);
  });

  it('is silent about the end of the browser that it closes itself', async () => {
    const { driver, types } = driven();
    await driver.launch();
    await driver.close();
    expect(types()).not.toContain('browser-gone');
    expect(driver.connected).toBe(false);
  });

  it('tells of an injection that failed after the start, and rejects in the start', async () => {
    const { client, driver, events } = driven();
    await driver.launch();
    client.injectError = new Error('Execution context was destroyed');
    client.pupPage?.navigate();
    await turn();
    expect(events.at(-1)).toEqual({ type: 'inject-failed', error: client.injectError });
    await driver.close();
    await expect(driver.launch()).rejects.toThrow('Execution context was destroyed');
  });

  it('is injected once into a document, whatever frame of it navigates', async () => {
    const { client, driver, rules } = driven();
    const heard: unknown[] = [];
    client.on('qr', (qr) => heard.push(qr));
    await driver.launch();
    for (let frame = 0; frame < 3; frame++) client.pupPage?.navigateFrame();
    await turn();
    expect(heard).toEqual(['code-1']);
    client.pupPage?.navigate();
    client.pupPage?.navigateFrame(); // while the new document is injected
    for (let turns = 0; turns < 3; turns++) await turn();
    expect(heard).toEqual(['code-1', 'code-2']);
    expect(rules.mayPair).toBe(true);
  });

  it('tells the bot once of each connection that it is ready', async () => {
    const { client, driver, events } = driven();
    let heard = 0;
    client.on('ready', () => heard++);
    await driver.launch();
    await client.scan();
    client.pupPage?.navigate(); // a reload: the client says ready once more
    for (let turns = 0; turns < 3; turns++) await turn();
    expect(events.filter(({ type }) => type === 'ready')).toEqual([
      { type: 'ready' },
      { type: 'ready', repeated: true },
    ]);
    expect(heard).toBe(1);
    await driver.close();
    await driver.launch();
    for (let turns = 0; turns < 3; turns++) await turn();
    expect(heard).toBe(2);
  });

  it('tells of every launch what the client itself promises, until one is told no more', async () => {
    const { driver, whatsApp } = driven();
    const outcomes: string[] = [];
    const end = driver.onLaunch((launched) => {
      launched.then(
        () => outcomes.push('started'),
        (error: Error) => outcomes.push(error.message),
      );
    });
    await driver.launch();
    await driver.close();
    whatsApp.offline = true;
    await expect(driver.launch()).rejects.toThrow('net::ERR_CONNECTION_REFUSED');
    end();
    await expect(driver.launch()).rejects.toThrow('net::ERR_CONNECTION_REFUSED');
    expect(outcomes).toEqual(['started', expect.stringContaining('net::ERR_CONNECTION_REFUSED')]);
  });

  it('does not inject into a page that is being closed', async () => {
    const { client, driver } = driven();
    await driver.launch();
    driver.beginClosing();
    client.injectError = new Error('would be told');
    expect(await client.inject()).toBeUndefined();
  });

  it("keeps the strategy's logout() from deleting the profile", async () => {
    const { client, driver } = driven({
      localAuth: { dataPath: '/auth', clientId: 'shop' },
      puppeteer: {},
    });
    await driver.launch();
    await client.scan();
    await client.authStrategy.logout();
    expect(await client.readLogin()).toBeDefined();
  });

  it('unlinks the device by the original logout()', async () => {
    const { client, driver, whatsApp } = driven();
    await driver.launch();
    await client.scan();
    const login = await client.readLogin();
    await driver.logout();
    expect(login && whatsApp.accepts(login)).toBe(false);
  });

  it('has no browser, no page and no connection before its first start', () => {
    const { driver } = driven();
    expect([driver.browser, driver.page, driver.connected]).toEqual([undefined, undefined, false]);
  });

  it('takes a fork without inject(), requestPairingCode() and strategy', () => {
    const bare = {
      initialize: async () => undefined,
      destroy: async () => undefined,
      logout: async () => undefined,
      getState: async () => undefined,
      sendMessage: async () => undefined,
      emit: () => true,
      on: () => undefined,
    };
    const driver = new ClientDriver(bare, systemClock);
    expect(() => driver.attach({ ...silentSupervisor })).not.toThrow();
    bare.emit();
  });

  it('does nothing before it is attached', async () => {
    const { fs, whatsApp } = new FakeStage();
    const client = new FakeClient({ whatsApp, fs, puppeteer: { userDataDir: '/profile' } });
    new ClientDriver(client, systemClock);
    await client.initialize();
    expect(client.launches).toBe(1);
  });
});

const silentSupervisor: ClientSupervisor = {
  onClientEvent: () => undefined,
  mayPair: () => true,
  onBotInitialize: async () => undefined,
  onBotDestroy: async () => undefined,
  onBotLogout: async () => undefined,
};
