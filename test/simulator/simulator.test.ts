import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client, Message } from 'whatsapp-web.js';
import {
  type BotOptions,
  closeBot,
  crashPage,
  createBot,
  killBrowser,
  pageState,
  waitForEvent,
} from './client.js';
import { startSimulator, type WhatsAppSimulator } from './server.js';

const DEADLINE_MS = 30_000;
const SOMEBODY = '491520000002@c.us';
const ACCOUNT = '4915100000001@c.us';

let simulator: WhatsAppSimulator;
let folder: string;
let bots: Client[] = [];

beforeEach(async () => {
  simulator = await startSimulator();
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
});

afterEach(async () => {
  for (const bot of bots) await closeBot(bot);
  bots = [];
  await simulator.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

function bot(options: Partial<BotOptions> = {}): Client {
  const client = createBot({ simulator, dataPath: folder, ...options });
  bots.push(client);
  return client;
}

/** Starts the client; resolves with the first event. */
async function start(client: Client): Promise<'ready' | 'qr'> {
  const outcome = Promise.any([
    waitForEvent(client, 'ready', DEADLINE_MS).then(() => 'ready' as const),
    waitForEvent(client, 'qr', DEADLINE_MS).then(() => 'qr' as const),
  ]);
  await client.initialize();
  return outcome;
}

async function pair(client: Client): Promise<void> {
  const ready = waitForEvent(client, 'ready', DEADLINE_MS);
  const scanned = simulator.scan(); // called before there is a page, so it waits
  await client.initialize();
  await scanned;
  await ready;
}

const profile = () => join(folder, 'session');
const indexedDb = () => join(profile(), 'Default', 'IndexedDB');
const localStorage = () => join(profile(), 'Default', 'Local Storage');

describe('pairing', () => {
  it('shows a QR, takes a scan, and is ready; messages go both ways', async () => {
    const client = bot();
    const qr = waitForEvent<string>(client, 'qr', DEADLINE_MS);
    const ready = waitForEvent(client, 'ready', DEADLINE_MS);
    await client.initialize();
    expect((await qr).split(',')).toHaveLength(5);
    await simulator.scan({ account: '4915100000009' });
    await ready;
    expect(client.info.wid._serialized).toBe('4915100000009@c.us');
    expect(await client.getState()).toBe('CONNECTED');

    const received = waitForEvent<Message>(client, 'message', DEADLINE_MS);
    await simulator.sendIncoming({ from: SOMEBODY, body: 'ping' });
    const message = await received;
    expect(message).toMatchObject({ from: SOMEBODY, body: 'ping', fromMe: false });
    await message.reply('pong');
    await client.sendMessage(SOMEBODY, 'and hello');
    await simulator.waitForSent(({ body }) => body === 'and hello');
    expect(simulator.sentMessages.map(({ to, body }) => [to, body])).toEqual([
      [SOMEBODY, 'pong'],
      [SOMEBODY, 'and hello'],
    ]);
    expect((await message.getContact()).number).toBe('491520000002');
    expect((await message.getChat()).isGroup).toBe(false);
    expect(await client.getNumberId('491520000002')).toMatchObject({ _serialized: SOMEBODY });
  });

  it('refreshes the QR, and then refuses the old one', async () => {
    const client = bot();
    const first = waitForEvent<string>(client, 'qr', DEADLINE_MS);
    await client.initialize();
    const old = await first;
    const second = waitForEvent<string>(client, 'qr', DEADLINE_MS);
    await simulator.refreshQr();
    await expect(simulator.scan({ qr: old })).rejects.toThrow(/not shown any more/);
    expect(simulator.qrCount).toBe(2);

    const ready = waitForEvent(client, 'ready', DEADLINE_MS);
    await simulator.scan({ qr: await second });
    await ready;
  });

  it('pairs by a code', async () => {
    const client = bot({ clientOptions: { pairWithPhoneNumber: { phoneNumber: '4915100000007' } } });
    const code = waitForEvent<string>(client, 'code', DEADLINE_MS);
    const ready = waitForEvent(client, 'ready', DEADLINE_MS);
    await client.initialize();
    await simulator.enterPairingCode(await code);
    await ready;
    expect(client.info.wid.user).toBe('4915100000007');
    await expect(simulator.enterPairingCode('WRONG')).rejects.toThrow(/No page ever showed/);
  });

  it('says what it waited for when nobody scans in time', async () => {
    await expect(simulator.scan({ timeoutMs: 50 })).rejects.toThrow(/No page was there.*connected: none/);
  });
});

describe('a stored login', () => {
  it('needs no QR at the next start of the same client, and keeps its data', async () => {
    const client = bot();
    await pair(client);
    await simulator.sendIncoming({ from: SOMEBODY, body: 'keep me' });
    const before = await pageState(client);
    await client.destroy();

    expect(await start(client)).toBe('ready');
    const after = await pageState(client);
    expect(after).toMatchObject({ account: ACCOUNT, messageCount: 1 });
    expect(after.messages[0]?.body).toBe('keep me');
    expect(after.ratchet).toBeGreaterThan(before.ratchet);
    expect(simulator.accounts).toHaveLength(1);
    expect(simulator.qrCount).toBe(1);
  });

  it('is in IndexedDB and Local Storage, and in both', async () => {
    const client = bot();
    await pair(client);
    await client.destroy();
    const saved = join(folder, 'saved');
    cpSync(indexedDb(), join(saved, 'IndexedDB'), { recursive: true });
    cpSync(localStorage(), join(saved, 'Local Storage'), { recursive: true });
    const startWith = async (...names: string[]) => {
      rmSync(profile(), { recursive: true });
      for (const name of names)
        cpSync(join(saved, name), join(profile(), 'Default', name), { recursive: true });
      const outcome = await start(client);
      await client.destroy();
      return outcome;
    };
    expect(await startWith('IndexedDB')).toBe('qr');
    expect(await startWith('Local Storage')).toBe('qr');
    expect(await startWith('IndexedDB', 'Local Storage')).toBe('ready');
  });

  it('tells a profile that was rolled back', async () => {
    const client = bot();
    await pair(client);
    await client.destroy();
    const saved = join(folder, 'saved');
    cpSync(indexedDb(), saved, { recursive: true });
    expect(await start(client)).toBe('ready');
    await client.sendMessage(SOMEBODY, 'one step further');
    await simulator.waitForSent(() => true);
    await client.destroy();
    rmSync(indexedDb(), { recursive: true });
    cpSync(saved, indexedDb(), { recursive: true });

    expect(await start(client)).toBe('ready');
    expect(simulator.events.map(({ type }) => type)).toContain('ratchet:rolledBack');
  });

  it('gives a QR without a logout when the server turns it down silently', async () => {
    const client = bot();
    await pair(client);
    await client.destroy();
    simulator.setModes({ rejectLogin: 'silent' });
    expect(await start(client)).toBe('qr');
    expect(simulator.events.map(({ type }) => type)).not.toContain('logout');
  });

  it('is answered with a logout once the account was revoked', async () => {
    const client = bot();
    await pair(client);
    await client.destroy();
    expect(simulator.revokeAccount()).toBe(1);
    const disconnected = waitForEvent(client, 'disconnected', DEADLINE_MS);
    const since = simulator.events.length;
    expect(await start(client)).toBe('qr');
    expect(await disconnected).toBe('LOGOUT');
    const { pageId } = await simulator.waitFor('qr:shown', { since });
    await simulator.waitFor('client:listening', { since, pageId });
  });
});

describe('losing the session', () => {
  it('logs out from the phone: disconnected LOGOUT, then a QR in the same browser', async () => {
    const client = bot();
    await pair(client);
    const disconnected = waitForEvent(client, 'disconnected', DEADLINE_MS);
    const qr = waitForEvent(client, 'qr', DEADLINE_MS);
    const since = simulator.events.length;
    await simulator.logoutFromPhone();
    expect(await disconnected).toBe('LOGOUT');
    await qr;
    await simulator.waitFor('client:listening', { since }); // a client closed earlier has an unhandled rejection
    expect(simulator.accounts).toMatchObject([{ account: ACCOUNT, revoked: true }]);
  });

  it("logs out by the bot's own client.logout()", async () => {
    const client = bot();
    await pair(client);
    await client.logout();
    expect(simulator.accounts).toMatchObject([{ revoked: true }]);
    expect(readdirSync(folder)).not.toContain('session');
  });

  it('says CONFLICT, which ends the client', async () => {
    const client = bot();
    await pair(client);
    const disconnected = waitForEvent(client, 'disconnected', DEADLINE_MS);
    await simulator.conflict();
    expect(await disconnected).toBe('CONFLICT');
  });

  it('gives the older of two pages with one login a CONFLICT, and takes over when told to', async () => {
    const client = bot({ clientOptions: { takeoverOnConflict: true } });
    await pair(client);
    const back = waitForEvent(client, 'change_state', DEADLINE_MS);
    const second = await client.pupBrowser?.newPage();
    await second?.goto('https://web.whatsapp.com/');
    expect(await back).toBe('CONFLICT');
    await simulator.waitFor('takeover');
    await expect.poll(() => client.getState(), { timeout: DEADLINE_MS }).toBe('CONNECTED');
  });

  it('says TIMEOUT, and comes back', async () => {
    const client = bot();
    await pair(client);
    const lost = waitForEvent(client, 'change_state', DEADLINE_MS);
    await simulator.timeout();
    expect(await lost).toBe('TIMEOUT');
    await client.sendMessage(SOMEBODY, 'waits');
    const back = waitForEvent(client, 'change_state', DEADLINE_MS);
    await simulator.resume();
    expect(await back).toBe('CONNECTED');
    await simulator.waitForSent(({ body }) => body === 'waits');
  });

  it('crashes the page, which the client does not notice', async () => {
    const client = bot();
    await pair(client);
    await crashPage(client);
    expect(client.pupBrowser?.connected).toBe(true);
    await closeBot(client);
    expect(await start(client)).toBe('ready');
  });

  it('survives a killed browser, once Local Storage was flushed', async () => {
    const client = bot();
    await pair(client);
    await client.destroy(); // a normal close flushes it
    expect(await start(client)).toBe('ready');
    await killBrowser(client);
    expect(await start(client)).toBe('ready');
  });
});

describe('never ready', () => {
  it('plays each way in which a login is accepted and ready never comes', async () => {
    const client = bot();
    await pair(client);
    await client.destroy();
    const seen: string[] = [];
    for (const name of ['authenticated', 'ready', 'qr']) client.on(name, () => seen.push(name));

    const missed = async () => {
      seen.length = 0;
      const since = simulator.events.length;
      await client.initialize();
      await simulator.waitFor('login:accepted', { since });
      expect(await client.getState()).toBe('CONNECTED');
    };
    simulator.setModes({ neverReady: 'unsynced' });
    await missed();
    expect(seen).toEqual([]);
    await client.destroy();

    simulator.setModes({ neverReady: false, hasSyncedEarly: true });
    await missed();
    expect(seen).toEqual([]);
    await client.destroy();

    simulator.setModes({ neverReady: 'authenticated', hasSyncedEarly: false });
    const authenticated = waitForEvent(client, 'authenticated', DEADLINE_MS);
    await missed();
    await authenticated;
    await expect.poll(() => client.pupPage?.evaluate('"WWebJS" in window')).toBe(true);
    expect(seen).toEqual(['authenticated']);
    await client.destroy();

    simulator.setModes({ neverReady: false });
    expect(await start(client)).toBe('ready');
  });
});

describe('an unreachable server', () => {
  it('fails the start, and the same client starts once it is back', async () => {
    const client = bot();
    await simulator.goOffline();
    await expect(client.initialize()).rejects.toThrow(/ERR_CONNECTION_REFUSED/);
    await client.destroy();
    await simulator.goOnline();
    await pair(client);
  });

  it('takes an open page offline; what it wanted to send goes out afterwards', async () => {
    const client = bot();
    await pair(client);
    const lost = waitForEvent(client, 'change_state', DEADLINE_MS);
    await simulator.goOffline();
    expect(await lost).toBe('OPENING');
    await client.sendMessage(SOMEBODY, 'from the tunnel');
    await simulator.goOnline();
    await simulator.waitForSent(({ body }) => body === 'from the tunnel');
    expect(await client.getState()).toBe('CONNECTED');
  });

  it('leaves a page CONNECTED but dead when requests hang', async () => {
    const client = bot();
    await pair(client);
    simulator.hangRequests();
    await client.sendMessage(SOMEBODY, 'into the void');
    expect(await client.getState()).toBe('CONNECTED');
    expect(simulator.sentMessages).toEqual([]);
    simulator.hangRequests(false);
    await client.sendMessage(SOMEBODY, 'back again');
    await simulator.waitForSent(({ body }) => body === 'back again');
  });
});

describe('load', () => {
  it('fills IndexedDB with what was asked for, large values as files', async () => {
    const client = bot();
    await pair(client);
    await simulator.writeBulk(8);
    expect(sizeOf(indexedDb())).toBeGreaterThan(8e6);
    await simulator.writeBulk(4, { largeValues: true });
    const blobs = readdirSync(indexedDb()).find((name) => name.endsWith('.blob'));
    expect(sizeOf(join(indexedDb(), String(blobs)))).toBeGreaterThan(4e6);
  });

  it('writes steadily, also after a restart, until it is told to stop', async () => {
    const client = bot();
    await pair(client);
    await simulator.startTraffic({ bytesPerSecond: 1_000_000 });
    const records = async () => (await pageState(client)).trafficCount;
    await expect.poll(records, { timeout: DEADLINE_MS }).toBeGreaterThan(50);
    await client.destroy();

    expect(await start(client)).toBe('ready');
    const before = await records();
    await expect.poll(records, { timeout: DEADLINE_MS }).toBeGreaterThan(before);
    await simulator.stopTraffic();
  });
});

function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((total, name) => total + sizeOf(join(path, name)), 0);
}
