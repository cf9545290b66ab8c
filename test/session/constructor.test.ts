import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, PersistentSession, type WhatsAppClient } from '../../src/index.js';
import { FakeClient, type FakeClientOptions } from '../../src/testing/fake-client.js';
import { FakeStage } from '../support/fake-stage.js';

const paths = { sessionPath: '/bot/session', backupPath: '/bot/backup' };

function newClient(options: Partial<FakeClientOptions> = {}): FakeClient {
  const { fs, whatsApp } = new FakeStage();
  return new FakeClient({ whatsApp, fs, ...options });
}

/** A client with a strategy of this shape, as forks and bundlers leave it. */
function clientWith(strategy: object): FakeClient {
  return Object.assign(newClient(), { authStrategy: strategy });
}

function refusal(client: unknown, options: object = paths): string {
  try {
    new PersistentSession(client as WhatsAppClient, options);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('the constructor took it');
}

describe('new PersistentSession(client)', () => {
  it("finds LocalAuth's folder and takes its client id over", () => {
    const client = newClient({ localAuth: { dataPath: '/bot/auth', clientId: 'shop' } });
    const session = new PersistentSession(client, paths);
    expect(session.options.clientId).toBe('shop');
    expect(session.status().paths.profile).toBe('/bot/auth/session-shop');
    expect(session.client).toBe(client);
  });

  it('finds the folder of a LocalAuth without a client id, and names the session after it', () => {
    const session = new PersistentSession(newClient({ localAuth: { dataPath: '/bot/auth' } }), paths);
    expect(session.options.clientId).toMatch(/^bot-auth-[0-9a-f]{8}$/);
    expect(session.status().paths.profile).toBe('/bot/auth/session');
  });

  it('names the session itself where the LocalAuth has neither an id nor a folder of its own', () => {
    const dataPath = join(process.cwd(), '.wwebjs_auth');
    const session = new PersistentSession(newClient({ localAuth: { dataPath } }), paths);
    expect(session.options.clientId).toBe('whatsapp-automation-pro-v2');
  });

  it('names the session after a userDataDir', () => {
    const client = newClient();
    client.options.puppeteer = { userDataDir: '/bot/profiles/anna' };
    expect(new PersistentSession(client, paths).options.clientId).toMatch(/^bot-profiles-anna-[0-9a-f]{8}$/);
  });

  it('knows a LocalAuth by its shape where a bundler has renamed its class', () => {
    const renamed = { clientId: 'shop', dataPath: '/bot/auth', rmMaxRetries: 4 };
    const session = new PersistentSession(clientWith(renamed), paths);
    expect(session.status().paths.profile).toBe('/bot/auth/session-shop');
  });

  it("refuses a client id that contradicts LocalAuth's own, naming both", () => {
    const client = newClient({ localAuth: { dataPath: '/bot/auth', clientId: 'shop' } });
    const message = refusal(client, { ...paths, clientId: 'other' });
    expect(message).toContain('shop');
    expect(message).toContain('other');
  });

  it('gives a NoAuth client a folder below sessionPath', () => {
    const client = newClient();
    const session = new PersistentSession(client, { ...paths, clientId: 'shop' });
    expect(session.status().paths.profile).toBe('/bot/session/profile/shop');
    expect(client.options.puppeteer.userDataDir).toBe('/bot/session/profile/shop');
  });

  it.each([
    [{ args: ['--incognito'] }, '--incognito'],
    [{ args: ['--profile-directory=Profile 1'] }, '--profile-directory=Profile 1'],
    [{ args: ['--user-data-dir=/elsewhere'] }, '/elsewhere'],
    [{ userDataDir: '/elsewhere' }, '/elsewhere'],
    [{ ignoreDefaultArgs: true }, 'ignoreDefaultArgs'],
  ])('refuses %j, by which the login would not be kept in the profile', (puppeteer, named) => {
    const client = newClient({ localAuth: { dataPath: '/bot/auth', clientId: 'shop' }, puppeteer });
    expect(refusal(client)).toContain(named);
  });

  it.each([
    [{ args: ['--no-sandbox', undefined] }, 'puppeteer.args[1]: undefined'],
    [{ args: [false] }, 'puppeteer.args[0]: false'],
    [{ args: '--no-sandbox' }, 'puppeteer.args: "--no-sandbox"'],
    [{ args: null }, 'puppeteer.args: null'],
    [{ userDataDir: 5 }, 'puppeteer.userDataDir: 5'],
    [{ userDataDir: '' }, 'puppeteer.userDataDir: ""'],
  ])('refuses %j, over which puppeteer would fail in words of its own', (puppeteer, named) => {
    expect(refusal(newClient({ puppeteer }))).toContain(named);
    const localAuth = { dataPath: '/bot/auth', clientId: 'shop' };
    expect(refusal(newClient({ localAuth, puppeteer }))).toContain(named);
  });

  it.each([
    ['puppeteer.userDataDir', { userDataDir: '/bot/own' }],
    ['a --user-data-dir argument', { args: ['--no-sandbox', '--user-data-dir=/bot/own'] }],
    // Blanks at the end of an argument are nothing to Chromium.
    ['a puppeteer.userDataDir that ends with a blank', { userDataDir: '/bot/own ' }],
    ['a --user-data-dir argument that ends with one', { args: ['--user-data-dir=/bot/own\n'] }],
  ])('leaves the profile where %s puts it', (_name, puppeteer) => {
    const client = newClient({ puppeteer });
    const session = new PersistentSession(client, { ...paths, clientId: 'shop' });
    expect(session.status().paths.profile).toBe('/bot/own');
    expect(client.options.puppeteer).toMatchObject(puppeteer);
  });

  it('refuses RemoteAuth by its name, and says what to use', () => {
    class RemoteAuth {}
    expect(refusal(clientWith(new RemoteAuth()))).toContain('new LocalAuth(');
  });

  it('refuses a RemoteAuth of another name by its shape', () => {
    const renamed = { store: {}, backupSyncIntervalMs: 60_000, dataPath: '/bot/auth' };
    expect(refusal(clientWith(renamed))).toContain('RemoteAuth');
  });

  it('refuses a class that extends RemoteAuth', () => {
    class RemoteAuth {}
    class MongoAuth extends RemoteAuth {}
    expect(refusal(clientWith(new MongoAuth()))).toContain('RemoteAuth');
  });

  it.each(['browserWSEndpoint', 'browserURL'])('refuses puppeteer.%s, and says what to do', (option) => {
    const message = refusal(newClient({ puppeteer: { [option]: 'ws://127.0.0.1:9222' } }));
    expect(message).toContain(option);
    expect(message).toContain('let the client start its own browser');
  });

  it('refuses a client that has a session already', () => {
    const client = newClient();
    new PersistentSession(client, paths);
    expect(refusal(client)).toContain('already has a PersistentSession');
  });

  it.each([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a string', 'client', 'string'],
    ['an object of another kind', new Map(), 'Map'],
    ['an object without a prototype', Object.create(null), 'Object'],
  ])('refuses %s as a client, and says what it is', (_name, value, told) => {
    const message = refusal(value);
    expect(message).toContain(told);
    expect(message).toContain('initialize');
  });

  it('leaves the client as it was when it refuses an option', () => {
    const client = newClient();
    const before = { ...client.options.puppeteer };
    refusal(client, { ...paths, unknownOption: 1 });
    expect(client.options.puppeteer).toEqual(before);
    expect(() => new PersistentSession(client, paths)).not.toThrow();
  });

  it('touches nothing on disk and starts nothing', async () => {
    const stage = new FakeStage();
    const bot = stage.bot();
    await bot.until('nothing to do', () => true);
    expect(stage.fs.calls).toEqual([]);
    expect(stage.clock.pendingTimers).toBe(0);
    expect(bot.client.launches).toBe(0);
    expect(bot.state).toBe('idle');
    expect(bot.events).toEqual([]);
  });

  it("turns puppeteer's own handlers off for exactly the signals that it handles", () => {
    const client = newClient({ puppeteer: { headless: true } });
    new PersistentSession(client, { ...paths, shutdownSignals: ['SIGTERM', 'SIGHUP'] });
    expect(client.options.puppeteer).toMatchObject({
      headless: true,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    expect(client.options.puppeteer).not.toHaveProperty('handleSIGINT');
  });

  it("turns puppeteer's handler of SIGINT off, too, by default", () => {
    const client = newClient();
    new PersistentSession(client, paths);
    expect(client.options.puppeteer).toMatchObject({ handleSIGINT: false, handleSIGTERM: false });
  });

  it('works with a client that has no options at all', () => {
    const client = newClient();
    Reflect.deleteProperty(client, 'options');
    const session = new PersistentSession(client, { ...paths, clientId: 'shop' });
    expect(session.status().paths.profile).toBe('/bot/session/profile/shop');
    expect(client.options.puppeteer.userDataDir).toBe('/bot/session/profile/shop');
  });

  it('freezes its options', () => {
    const { options } = new PersistentSession(newClient(), paths);
    expect(Object.isFrozen(options)).toBe(true);
    expect(options.sessionTimeoutMs).toBe(45_000);
  });
});
