import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { memfs } from 'memfs';
import { afterEach, describe, expect, it } from 'vitest';
import type { FileSystem } from '../src/file-system.js';
import { fromEnv } from '../src/from-env.js';
import {
  DEFAULT_OPTIONS,
  type OptionsContext,
  type PersistentSessionOptions,
  resolveOptions,
} from '../src/options.js';
import { FileSystemStore } from '../src/stores/file-system-store.js';
import type { SessionStore } from '../src/stores/session-store.js';
import { MemoryStore } from '../src/testing/memory-store.js';

const CONTEXT: OptionsContext = { cwd: '/bot', env: {}, platform: 'linux' };

/** Options as a bot in JavaScript may give them. */
function resolveAnything(given: unknown, context: OptionsContext = CONTEXT) {
  return resolveOptions(given as PersistentSessionOptions, context);
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'CONFIGURATION' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('nothing was refused');
}

const aStore = (name = 'test'): SessionStore => ({
  name,
  capabilities: { conditionalPut: false },
  put: () => Promise.reject(new Error('not used')),
  get: async () => undefined,
  head: async () => undefined,
  list: async function* () {},
  delete: async () => false,
});

describe('without options', () => {
  it('everything has the documented value', () => {
    expect(resolveOptions({}, CONTEXT)).toEqual({
      ...DEFAULT_OPTIONS,
      sessionPath: resolve('/bot/persistent-session'),
      backupPath: resolve('/bot/session-backup'),
    });
    expect(DEFAULT_OPTIONS).toMatchObject({
      clientId: 'whatsapp-automation-pro-v2',
      maxSessionSizeMb: 150,
      sessionTimeoutMs: 45_000,
      puppeteerTimeoutMs: 30_000,
      maxInitRetries: 3,
      healthCheckIntervalMs: 15_000,
      reconnectDelayMs: 5000,
      reconnectMaxDelayMs: 300_000,
      maxReconnectAttempts: 5,
      backupIntervalMs: 300_000,
      sessionValidationIntervalMs: 60_000,
      forceSaveIntervalMs: 120_000,
      followIntervalMs: 10_000,
      maxConcurrentCaptures: 2,
      sessionPath: './persistent-session',
      backupPath: './session-backup',
      compression: 'fast',
      retention: { saves: { keepLast: 10 }, backups: { keepLast: 12, keepDaily: 7 }, maxTotalMb: 1024 },
      shutdownSignals: ['SIGTERM', 'SIGINT', 'SIGHUP'],
      onLogout: 'relogin',
      onConflict: 'wait',
      maxRollbackMs: 604_800_000,
    });
  });

  describe('and without a client id', () => {
    const idOf = (authPath: string | undefined, cwd = '/bot') =>
      resolveOptions({}, { ...CONTEXT, cwd, ...(authPath !== undefined && { authPath }) }).clientId;

    it.each([
      [undefined, 'whatsapp-automation-pro-v2'],
      ['/bot/.wwebjs_auth', 'whatsapp-automation-pro-v2'],
      ['/bot/sessions/anna', 'sessions-anna-b0b9341e'],
      ['/bot/sessions-anna', 'sessions-anna-0c865d7b'],
      ['/data/sessions/anna', 'data-sessions-anna-6bfecea8'],
      ['/bot/\u062d\u0633\u0627\u0628', 'session-c28daebc'],
    ])('the login in %s has the id %s', (authPath, id) => {
      expect(idOf(authPath)).toBe(id);
    });

    it('the id stays when the folder of the bot is moved', () => {
      expect(idOf('/elsewhere/sessions/anna', '/elsewhere')).toBe(idOf('/bot/sessions/anna'));
    });

    it('the id stays from whatever working directory the bot is started', () => {
      const idFrom = (cwd: string, authPath: string) =>
        resolveOptions({}, { ...CONTEXT, cwd, authPath, botFolder: '/app' }).clientId;
      for (const cwd of ['/', '/app', '/home/bot']) {
        expect(idFrom(cwd, '/app/sessions/anna')).toBe('sessions-anna-b0b9341e');
        expect(idFrom(cwd, '/app/.wwebjs_auth')).toBe('whatsapp-automation-pro-v2');
      }
      expect(idFrom('/app/bot', '/app/bot/.wwebjs_auth')).toBe('whatsapp-automation-pro-v2');
    });

    it('is one that whatsapp-web.js accepts, and another one for every folder', () => {
      fc.assert(
        fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 5 }), (names) => {
          const folders = names.map((name) => resolve('/bot/sessions', `x${name.replaceAll('/', '_')}`));
          const ids = folders.map((folder) => idOf(folder));
          for (const id of ids) expect(id).toMatch(/^[-_\w]{1,100}$/);
          expect(new Set(ids).size).toBe(new Set(folders).size);
        }),
      );
    });

    it('an id of the LocalAuth or of the options comes first', () => {
      const authPath = '/bot/sessions/anna';
      expect(resolveOptions({ clientId: 'mine' }, { ...CONTEXT, authPath }).clientId).toBe('mine');
      expect(resolveOptions({}, { ...CONTEXT, authPath, strategyClientId: 'its' }).clientId).toBe('its');
    });
  });

  it('a value of undefined counts as not given', () => {
    const names = Object.keys(DEFAULT_OPTIONS);
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(resolveAnything(nothing)).toEqual(resolveOptions({}, CONTEXT));
  });

  it('the paths are those of the platform, and no option is read from the environment', () => {
    const env = {
      RAILWAY_PROJECT_ID: 'p',
      RAILWAY_VOLUME_MOUNT_PATH: '/data',
      CLIENT_ID: 'other',
      SESSION_PATH: '/x',
    };
    expect(resolveOptions({}, { ...CONTEXT, env })).toMatchObject({
      clientId: 'whatsapp-automation-pro-v2',
      sessionPath: '/data/persistent-session',
      backupPath: '/data/session-backup',
    });
  });

  it('the surroundings are those of the process', () => {
    const { cwd, env, platform } = { cwd: process.cwd(), env: process.env, platform: process.platform };
    expect(resolveOptions()).toEqual(resolveOptions({}, { cwd, env, platform }));
  });
});

describe('the resolved options', () => {
  it('are frozen through and through, and share nothing with what was given', () => {
    const shutdownSignals: NodeJS.Signals[] = ['SIGTERM'];
    const options = resolveOptions({ shutdownSignals, backupStore: [aStore()] }, CONTEXT);
    shutdownSignals.push('SIGINT');
    expect(options.shutdownSignals).toEqual(['SIGTERM']);
    const { retention } = options;
    for (const part of [options, retention, retention.saves, retention.backups])
      expect(Object.isFrozen(part)).toBe(true);
    expect(Object.isFrozen(options.shutdownSignals)).toBe(true);
    expect(Object.isFrozen(options.backupStore)).toBe(true);
    expect(Object.isFrozen(DEFAULT_OPTIONS.shutdownSignals)).toBe(true);
  });

  it('hold what was given', () => {
    const { fs } = memfs();
    const given = {
      clientId: 'shop',
      maxSessionSizeMb: 0.5,
      sessionTimeoutMs: 1,
      puppeteerTimeoutMs: 2 ** 31 - 1,
      maxInitRetries: 0,
      reconnectDelayMs: 10,
      reconnectMaxDelayMs: 5,
      maxReconnectAttempts: Number.POSITIVE_INFINITY,
      backupIntervalMs: 0,
      sessionValidationIntervalMs: 0,
      forceSaveIntervalMs: 0,
      followIntervalMs: 0,
      maxConcurrentCaptures: 1,
      sessionPath: '/s',
      backupPath: '/b',
      store: aStore(),
      compression: 'small',
      onLogout: 'stop',
      onConflict: 'stop',
      maxRollbackMs: 1,
      logger: console,
      fs: fs as unknown as FileSystem,
      random: () => 0.5,
    } as const;
    // The bot's callbacks come guarded: the same, but none of them fails.
    const { logger: _logger, random, ...values } = given;
    const resolved = resolveOptions(given, CONTEXT);
    expect(resolved).toMatchObject(values);
    expect(resolved.random()).toBe(random());
    expect(Object.keys(resolved.logger)).toEqual(['debug', 'info', 'warn', 'error']);
  });

  it('resolve relative paths against the working directory', () => {
    const { sessionPath } = resolveOptions({ sessionPath: 'data/../s' }, CONTEXT);
    expect(sessionPath).toBe(resolve('/bot/s'));
  });
});

describe('a wrong value is refused with the option, the value and what is accepted', () => {
  const deadlines = [
    'sessionTimeoutMs',
    'puppeteerTimeoutMs',
    'reconnectDelayMs',
    'reconnectMaxDelayMs',
    'maxRollbackMs',
  ];
  const intervals = [
    'healthCheckIntervalMs',
    'backupIntervalMs',
    'sessionValidationIntervalMs',
    'forceSaveIntervalMs',
    'followIntervalMs',
  ];
  const counts = ['maxInitRetries', 'maxReconnectAttempts'];

  it.each([...deadlines, ...intervals])('%s', (name) => {
    for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '45000', null, true, 5n]) {
      const message = messageOf(() => resolveAnything({ [name]: value }));
      expect(message).toMatch(
        new RegExp(`^${name}: .+ is not accepted; expected an integer from 1 to 2147483647`),
      );
    }
    expect(messageOf(() => resolveAnything({ [name]: '45000' }))).toContain('"45000"');
  });

  it.each(deadlines)('%s: 0', (name) => {
    expect(messageOf(() => resolveAnything({ [name]: 0 }))).toContain(`${name}: 0 is not accepted`);
  });

  it.each(counts)('%s', (name) => {
    for (const value of [-1, 0.5, Number.NaN, '3', 2 ** 60]) {
      expect(messageOf(() => resolveAnything({ [name]: value }))).toContain(`${name}: `);
    }
  });

  it('maxInitRetries: Infinity', () => {
    expect(messageOf(() => resolveAnything({ maxInitRetries: Number.POSITIVE_INFINITY }))).toContain(
      'an integer, 0 or more',
    );
  });

  it.each<[string, unknown, string]>([
    ['maxSessionSizeMb', 0, 'maxSessionSizeMb: 0 is not accepted; expected a number above 0 (megabytes)'],
    ['sessionPath', ' ', 'sessionPath: " " is not accepted; expected the path of a folder'],
    ['backupPath', 'a\0b', 'backupPath: "a\\u0000b" is not'],
    ['sessionPath', 7, 'sessionPath: 7 is not'],
    ['onLogout', 'ignore', `onLogout: "ignore" is not accepted; expected 'relogin' or 'stop'`],
    ['onConflict', false, `onConflict: false is not accepted; expected 'wait' or 'stop'`],
    ['maxConcurrentCaptures', 0, 'maxConcurrentCaptures: 0 is not accepted; expected an integer, 1 or more'],
    ['compression', 'best', `compression: "best" is not accepted; expected 'fast' or 'small'`],
    ['compression', 6, `compression: 6 is not accepted; expected 'fast' or 'small'`],
    ['shutdownSignals', 'SIGTERM', 'shutdownSignals: "SIGTERM" is not accepted; expected a list'],
    [
      'shutdownSignals',
      ['SIGTERM', 'SIGKILL'],
      `shutdownSignals[1]: "SIGKILL" is not accepted; expected 'SIGTERM' or`,
    ],
    ['logger', { info: () => undefined }, 'logger: an object without debug, warn, error is not'],
    ['clock', Date, 'clock: a function is not accepted'],
    ['fs', { promises: {} }, 'fs: an object without createReadStream, createWriteStream is not'],
    ['random', 4, 'random: a number is not accepted'],
    [
      'store',
      {},
      'store: an object without put, get, head, list, delete is not accepted; expected a SessionStore',
    ],
    ['store', { ...aStore(), name: '' }, 'store.name: "" is not'],
    ['store', { ...aStore(), capabilities: {} }, 'store.capabilities: an object is not'],
    [
      'backupStore',
      [],
      'backupStore: an empty list is not accepted; expected a SessionStore or a list of them',
    ],
    ['backupStore', [aStore(), null], 'backupStore[1]: null is not'],
    [
      'retention',
      [],
      'retention: a list is not accepted; expected an object with saves, backups, maxTotalMb',
    ],
    ['retention', { saves: 5 }, 'retention.saves: 5 is not'],
    [
      'retention',
      { saves: { keepLast: 0 } },
      'retention.saves.keepLast: 0 is not accepted; expected an integer, 1 or more',
    ],
    [
      'retention',
      { backups: { keepDaily: -1 } },
      'retention.backups.keepDaily: -1 is not accepted; expected an integer, 0',
    ],
    ['retention', { maxTotalMb: Number.POSITIVE_INFINITY }, 'retention.maxTotalMb: Infinity is not'],
    [
      'retention',
      { backups: { keepDayly: 3 } },
      `unknown option "retention.backups.keepDayly"; did you mean 'retention.backups.keepDaily'?`,
    ],
  ])('%s (%#)', (name, value, expected) => {
    expect(messageOf(() => resolveAnything({ [name]: value }))).toContain(expected);
  });

  it.each([null, [], 'shop', 7])('options that are no object: %s', (given) => {
    expect(messageOf(() => resolveAnything(given))).toMatch(
      /^options: .+ is not accepted; expected an object/,
    );
  });

  it('never shows a secret, nor more than a line of anything', () => {
    const secret = 'hunter2';
    const given: Record<string, unknown>[] = [
      { store: `postgres://bot:${secret}@db/bot` },
      { backupStore: [{ password: secret }] },
      { sessionPath: `s3://key:${secret}@bucket` },
      { databasePassword: secret },
      { logger: secret },
    ];
    for (const options of given) expect(messageOf(() => resolveAnything(options))).not.toContain(secret);
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(DEFAULT_OPTIONS)),
        fc.string({ minLength: 80, maxLength: 5000 }),
        (name, text) => {
          fc.pre(!/path$/i.test(name));
          const message = messageOf(() => resolveAnything({ [name]: `${text}\n` }));
          expect(message.length).toBeLessThan(1000);
          expect(message).not.toContain('\n');
        },
      ),
    );
  });
});

describe('an unknown option is refused', () => {
  it.each([
    ['sesionTimeoutMs', 'sessionTimeoutMs'],
    ['sessionTimeoutMS', 'sessionTimeoutMs'],
    ['session_timeout_ms', 'sessionTimeoutMs'],
    ['SESSION_TIMEOUT_MS', 'sessionTimeoutMs'],
    ['clientID', 'clientId'],
    ['backupStores', 'backupStore'],
    ['shutdownSignal', 'shutdownSignals'],
  ])('%s, with what was meant', (given, meant) => {
    const message = messageOf(() => resolveAnything({ [given]: 1 }));
    expect(message).toBe(`unknown option "${given}"; did you mean '${meant}'?`);
  });

  it.each(['retryDelay', 'port', 'toString'])('%s, with those that are known', (given) => {
    const message = messageOf(() => resolveAnything({ [given]: 1 }));
    expect(message).toContain(`unknown option "${given}"; known are: clientId, maxSessionSizeMb,`);
  });

  it('although its value is undefined: it is a typing error all the same', () => {
    expect(messageOf(() => resolveAnything({ sesionPath: undefined }))).toContain(
      `did you mean 'sessionPath'?`,
    );
  });
});

describe('clientId', () => {
  it.each(['', 'a b', '../x', 'متجر', 'x\n', 'a.b', 'a'.repeat(101), 'CON', 'lpt1', 7, null])(
    'refuses %j',
    (clientId) => {
      expect(messageOf(() => resolveAnything({ clientId }))).toMatch(
        /^clientId: .+ is not accepted; expected 1 to 100/,
      );
    },
  );

  it('is that of the LocalAuth, and another one is refused', () => {
    const context = { ...CONTEXT, strategyClientId: 'shop' };
    expect(resolveOptions({}, context).clientId).toBe('shop');
    expect(resolveOptions({ clientId: 'shop' }, context).clientId).toBe('shop');
    const message = messageOf(() => resolveOptions({ clientId: 'store' }, context));
    expect(message).toBe(
      `clientId: 'store' is not that of the client's LocalAuth; expected 'shop', or leave it out`,
    );
  });

  it('of the LocalAuth is checked, too', () => {
    const context = { ...CONTEXT, strategyClientId: 'x'.repeat(200) };
    expect(messageOf(() => resolveOptions({}, context))).toContain('clientId of the LocalAuth');
  });
});

describe('stores', () => {
  it('are left to the session when they are not given, one is as good as a list, twice the same is once', () => {
    const [one, two] = [aStore('one'), aStore('two')];
    expect(resolveOptions({}, CONTEXT)).toMatchObject({ store: undefined, backupStore: undefined });
    expect(resolveOptions({ backupStore: one }, CONTEXT).backupStore).toEqual([one]);
    expect(resolveOptions({ backupStore: [one, two, one] }, CONTEXT).backupStore).toEqual([one, two]);
  });
});

describe('retention', () => {
  it('keeps the default of what is left out', () => {
    const { retention } = resolveOptions({ retention: { backups: { keepDaily: 30 } } }, CONTEXT);
    expect(retention).toEqual({
      saves: { keepLast: 10 },
      backups: { keepLast: 12, keepDaily: 30 },
      maxTotalMb: 1024,
    });
  });
});

describe('folders that lie inside one another', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  const refusal = (given: PersistentSessionOptions, context: OptionsContext = {}) =>
    messageOf(() => resolveOptions(given, { ...CONTEXT, ...context }));

  it.each([
    ['/s', '/s'],
    ['/s', '/s/backup'],
    ['/b/session', '/b'],
    ['/s/', '/s/../s/x'],
    ['/', '/b'],
  ])('sessionPath %s and backupPath %s are refused', (sessionPath, backupPath) => {
    expect(refusal({ sessionPath, backupPath })).toMatch(
      /^backupPath: .+ and sessionPath .+ lie inside one another; expected/,
    );
  });

  it('names that only begin alike are no such thing', () => {
    for (const [sessionPath, backupPath] of [
      ['/s', '/s2'],
      ['/s', '/s..'],
      ['/a/s', '/a/b'],
      ['/x', '/..x'],
    ] as const) {
      expect(() => resolveOptions({ sessionPath, backupPath }, CONTEXT)).not.toThrow();
    }
  });

  it.each([
    ['sessionPath', { sessionPath: '/auth/session-shop' }],
    ['sessionPath', { sessionPath: '/auth/session-shop/Default' }],
    ['backupPath', { backupPath: '/auth/session-shop/backup' }],
  ])('%s in the profile is refused (%#)', (name, given) => {
    const message = refusal(given, { profileDir: '/auth/session-shop' });
    expect(message).toMatch(new RegExp(`^${name}: .+ lies inside the profile of the browser`));
  });

  it.each(['/s/session-shop', '/s/profile/shop', '/b/session', '/elsewhere'])(
    'a profile in %s is fine',
    (profileDir) => {
      const options = { clientId: 'shop', sessionPath: '/s', backupPath: '/b' };
      expect(() => resolveOptions(options, { ...CONTEXT, profileDir })).not.toThrow();
    },
  );

  it.each([
    ['sessionPath', '/s/store/session'],
    ['sessionPath', '/s/lease'],
    ['backupPath', '/b/shop/session'],
  ])('a profile among the snapshots is refused, and %s named', (name, profileDir) => {
    const message = refusal({ clientId: 'shop', sessionPath: '/s', backupPath: '/b' }, { profileDir });
    expect(message).toMatch(new RegExp(`^${name}: the profile of the browser .+ where snapshots are kept`));
  });

  it.each(['session-x', 'session', 'RemoteAuth-x'])(
    'backups of %s in the folder of LocalAuth are refused: they would lie in the profile of another id',
    (clientId) => {
      const given = { clientId, sessionPath: '/s', backupPath: '/wa' };
      const message = refusal(given, { profileDir: `/wa/session-${clientId}` });
      expect(message).toMatch(
        /^backupPath: the backups of '.+' would lie in \/wa\/.+ the profile of another client id/,
      );
    },
  );

  it('other ids may have their backups there, and every id has them elsewhere', () => {
    for (const [clientId, backupPath] of [
      ['x', '/wa'],
      ['session2', '/wa'],
      ['session-x', '/wa/backups'],
    ] as const) {
      const context = { ...CONTEXT, profileDir: `/wa/session-${clientId}` };
      expect(() => resolveOptions({ clientId, sessionPath: '/s', backupPath }, context)).not.toThrow();
    }
  });

  it('a backupPath that nothing is written to does not matter', () => {
    expect(() => resolveOptions({ sessionPath: '.', backupStore: aStore() }, CONTEXT)).not.toThrow();
    expect(refusal({ sessionPath: '.' })).toContain('lie inside one another');
    expect(refusal({ sessionPath: '.', backupPath: './b', backupStore: aStore() })).toContain(
      'lie inside one another',
    );
  });

  it('are found where case does not count, and where it does they are two', () => {
    const given = { sessionPath: '/Data/Session', backupPath: '/data/session/backup' };
    expect(refusal(given, { platform: 'darwin' })).toContain('lie inside one another');
    expect(() => resolveOptions(given, CONTEXT)).not.toThrow();
  });

  it('are compared as they stand: no disk is asked', async () => {
    const root = await mkdtemp(join(tmpdir(), 'options-'));
    folders.push(root);
    await symlink(root, join(root, 'link'));
    const given = { sessionPath: join(root, 'session'), backupPath: join(root, 'link/session/backup') };
    expect(() => resolveOptions(given, CONTEXT)).not.toThrow();
  });
});

describe('fromEnv', () => {
  const documented = {
    CLIENT_ID: 'shop',
    MAX_SESSION_SIZE_MB: '150',
    SESSION_TIMEOUT_MS: '45000',
    PUPPETEER_TIMEOUT_MS: ' 30000 ',
    MAX_INIT_RETRIES: '3',
    HEALTH_CHECK_INTERVAL_MS: '15000',
    RECONNECT_DELAY_MS: '5000',
    MAX_RECONNECT_ATTEMPTS: 'Infinity',
    BACKUP_INTERVAL_MS: '0',
    SESSION_VALIDATION_INTERVAL_MS: '60000',
    FORCE_SAVE_INTERVAL_MS: '120000',
    FOLLOW_INTERVAL_MS: '10000',
    SESSION_PATH: '/data/session',
    BACKUP_SESSION_PATH: '/data/backup',
  };

  it('reads the documented names, and options made of them are accepted', () => {
    const options = fromEnv(documented);
    expect(options).toEqual({
      clientId: 'shop',
      maxSessionSizeMb: 150,
      sessionTimeoutMs: 45_000,
      puppeteerTimeoutMs: 30_000,
      maxInitRetries: 3,
      healthCheckIntervalMs: 15_000,
      reconnectDelayMs: 5000,
      maxReconnectAttempts: Number.POSITIVE_INFINITY,
      backupIntervalMs: 0,
      sessionValidationIntervalMs: 60_000,
      forceSaveIntervalMs: 120_000,
      followIntervalMs: 10_000,
      sessionPath: '/data/session',
      backupPath: '/data/backup',
    });
    expect(resolveOptions(options, CONTEXT)).toMatchObject(options);
  });

  it('leaves out what is missing or empty', () => {
    expect(fromEnv({ CLIENT_ID: '', SESSION_PATH: '  ', PORT: '3000' })).toEqual({});
  });

  it('reads the environment of the process unless told otherwise', () => {
    expect(fromEnv()).toEqual(fromEnv(process.env));
  });

  it.each([
    ['SESSION_TIMEOUT_MS', 'soon', 'SESSION_TIMEOUT_MS: "soon" is not accepted; expected an integer from 1'],
    ['SESSION_TIMEOUT_MS', '0', 'SESSION_TIMEOUT_MS: 0 is not accepted'],
    ['SESSION_TIMEOUT_MS', '45s', 'SESSION_TIMEOUT_MS: "45s"'],
    ['SESSION_TIMEOUT_MS', '0x10', '"0x10"'],
    ['SESSION_TIMEOUT_MS', '1e3', '"1e3"'],
    ['SESSION_TIMEOUT_MS', '45_000', '"45_000"'],
    ['SESSION_TIMEOUT_MS', 'Infinity', 'SESSION_TIMEOUT_MS: Infinity'],
    ['MAX_INIT_RETRIES', '-1', 'MAX_INIT_RETRIES: -1'],
    ['MAX_INIT_RETRIES', '1.5', 'MAX_INIT_RETRIES: 1.5'],
    [
      'BACKUP_INTERVAL_MS',
      '٣٠٠٠٠٠',
      'BACKUP_INTERVAL_MS: "٣٠٠٠٠٠" is not accepted; expected the digits 0 to 9 (not Arabic-Indic',
    ],
    ['RECONNECT_DELAY_MS', '۵۰۰۰', 'not Arabic-Indic'],
    ['CLIENT_ID', 'my shop', 'CLIENT_ID: "my shop" is not'],
    [
      'SESSION_PATH',
      '"/data"',
      'SESSION_PATH: "\\"/data\\"" is not accepted; expected the path without quotes',
    ],
    [
      'SESSION_PATH',
      '~/session',
      'SESSION_PATH: "~/session" is not accepted; expected the path of a folder, written out',
    ],
    ['SESSION_PATH', '~', 'written out'],
    ['SESSION_PATH', '$HOME/session', 'written out'],
    [
      'BACKUP_SESSION_PATH',
      `/mnt/\${DATA}/session`,
      `BACKUP_SESSION_PATH: "/mnt/\${DATA}/session" is not accepted`,
    ],
    ['SESSION_PATH', '%APPDATA%\\session', 'written out'],
    ['SESSION_PATH', 'undefined', 'is the variable that it was made of set?'],
    ['SESSION_PATH', 'undefined/session', 'is the variable that it was made of set?'],
    ['BACKUP_SESSION_PATH', 'null', 'is the variable that it was made of set?'],
    ['BACKUP_SESSION_PATH', 's3://bucket', 'BACKUP_SESSION_PATH: an address is not accepted'],
  ])('refuses %s=%s, naming the variable', (name, value, expected) => {
    expect(messageOf(() => fromEnv({ [name]: value }))).toContain(expected);
  });

  it.each(['/data/~backup', './~/session', 'C:\\$data', '/data/undefined', 'nullified', '$'])(
    'takes the folder %s, whose name only looks like it',
    (path) => {
      expect(fromEnv({ SESSION_PATH: path })).toEqual({ sessionPath: path });
    },
  );
});

describe('the time between two backups', () => {
  const away = new MemoryStore();
  const folder = new FileSystemStore('/backups');

  it.each([
    ['5 minutes without a store for them', {}, 300_000],
    ['5 minutes into a folder', { backupStore: folder }, 300_000],
    ['an hour into a store that is away from this machine', { backupStore: away }, 3_600_000],
    ['an hour where one of several stores is away', { backupStore: [folder, away] }, 3_600_000],
    ['what was given', { backupStore: away, backupIntervalMs: 300_000 }, 300_000],
    ['none, if that was given', { backupStore: [away], backupIntervalMs: 0 }, 0],
  ])('is %s', (_, given, expected) => {
    expect(resolveOptions(given).backupIntervalMs).toBe(expected);
  });
});
