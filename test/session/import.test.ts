import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSystemStore, type SnapshotInfo } from '../../src/index.js';
import { type FakeLogin, writeFakeProfile } from '../../src/testing/fake-profile.js';
import type { FakeBot } from '../support/fake-bot.js';
import { type FakeStage, INDEXED_DB, useFakeStage } from '../support/fake-stage.js';
import { marksIn } from '../support/marks-in.js';
import { takeOver, zipOf } from '../support/old-sessions.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const OLD = '/old/.wwebjs_auth';

describe('importSession()', () => {
  const stage = useFakeStage();

  /** An old session of the account that the phone knows. */
  async function oldSession(path = `${OLD}/session-shop`, note = 'from the old bot'): Promise<FakeLogin> {
    const login = { ...stage().whatsApp.pair('4915100000001@c.us'), note };
    await writeFakeProfile(stage().fs, path, login);
    return login;
  }

  const zipsIn = async (folder: string) =>
    (await stage().filesBelow(folder)).filter((path) => path.endsWith('.zip'));
  function newBot(session = {}): FakeBot {
    return stage().bot({ auth: 'none', session: { ...BY_HAND, ...session } });
  }

  it.each(['session-shop', 'session', 'RemoteAuth-shop', 'session-another-bot'])(
    'takes over the folder %s: ready without a QR, and the old one stays as it was',
    async (name) => {
      await oldSession(`${OLD}/${name}`);
      const before = await contents(stage(), OLD);
      const bot = newBot();
      const info = await bot.finish(bot.session.importSession(`${OLD}/${name}`));
      expect(bot.state).toBe('idle');
      expect(bot.session.status().lease.held).toBe(false);
      await bot.start();
      expect(bot.state).toBe('ready');
      expect(bot.codes).toEqual([]);
      expect(await bot.client.readLogin()).toMatchObject({ note: 'from the old bot' });
      expect(bot.payloads('session:imported')).toEqual([{ from: `${OLD}/${name}`, snapshot: info }]);
      const after = await contents(stage(), OLD);
      expect(after.delete(`${OLD}/${name}.moved.json`)).toBe(true);
      expect(after).toEqual(before);
    },
  );

  it('makes it a snapshot of a lineage of its own, which the session goes on with', async () => {
    await oldSession();
    const bot = newBot();
    const info = await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
    expect(info).toMatchObject({ kind: 'save', clientId: 'shop', run: 0, revoked: false });
    await bot.start();
    const saved = await bot.save('later');
    expect(saved).toMatchObject({ lineage: info.lineage, run: 1 });
    expect((await bot.finish(bot.session.verify())).corrupt).toEqual([]);
  });

  it('takes what is essential only', async () => {
    await oldSession();
    await stage().fs.promises.mkdir(`${OLD}/session-shop/Default/Cache`, { recursive: true });
    await stage().fs.promises.writeFile(`${OLD}/session-shop/Default/Cache/data_0`, 'cache');
    await stage().fs.promises.writeFile(`${OLD}/session-shop/Local State`, '{}');
    const bot = newBot();
    await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
    const names = await stage().filesBelow(bot.client.profileDir);
    expect(names.filter((path) => /Cache|Local State/.test(path))).toEqual([]);
    expect(names.length).toBeGreaterThan(5);
  });

  it('shares no file with the old session', async () => {
    await oldSession();
    const { fs } = stage();
    const blob = join('Default/IndexedDB/https_web.whatsapp.com_0.indexeddb.blob/1/00/1');
    await fs.promises.mkdir(join(`${OLD}/session-shop`, blob, '..'), { recursive: true });
    await fs.promises.writeFile(`${OLD}/session-shop/${blob}`, 'media');
    const past = new Date(stage().clock.now() - 10 * 60_000);
    await fs.promises.utimes(`${OLD}/session-shop/${blob}`, past, past); // old enough to be linked by a save
    const bot = newBot();
    await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
    expect((await fs.promises.stat(`${OLD}/session-shop/${blob}`)).nlink).toBe(1);
    expect((await fs.promises.stat(join(bot.client.profileDir, blob))).nlink).toBe(1);
  });

  it('stops a session that runs and starts it again; what it replaces goes to quarantine', async () => {
    await oldSession();
    const bot = newBot();
    await bot.logIn('4915100000002@c.us');
    const own = await bot.save('own');
    const info = await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
    expect(bot.state).toBe('ready');
    expect(bot.client.launches).toBe(2);
    expect(await bot.client.readLogin()).toMatchObject({ note: 'from the old bot' });
    expect(bot.payloads('session:quarantined')).toMatchObject([{ reason: 'imported' }]);
    expect(bot.warnings).not.toContain('account-changed'); // it was asked for
    // And it can be undone.
    expect(info.lineage).not.toBe(own.lineage);
    await bot.finish(bot.session.restore(own.id));
    expect(await bot.client.readLogin()).toMatchObject({ note: 'own' });
  });

  it('goes on with the imported login at the next starts, also when the profile is lost', async () => {
    await oldSession();
    const first = newBot();
    await first.logIn('4915100000002@c.us');
    await first.save('own');
    await first.finish(first.session.importSession(`${OLD}/session-shop`));
    await first.stop();
    await stage().remove(first.client.profileDir);
    const next = newBot();
    await next.start();
    expect(next.state).toBe('ready');
    expect(await next.client.readLogin()).toMatchObject({ note: 'from the old bot' });
  });

  describe('of a folder that holds several', () => {
    it('takes the one of the client id', async () => {
      await oldSession(`${OLD}/session-other`, 'other');
      await oldSession(`${OLD}/session`, 'unnamed');
      await oldSession(`${OLD}/session-shop`, 'ours');
      const bot = newBot();
      await bot.finish(bot.session.importSession(OLD));
      expect(await bot.client.readLogin()).toMatchObject({ note: 'ours' });
    });

    it('takes the only one without a name when nobody chose a client id', async () => {
      await oldSession(`${OLD}/session`, 'unnamed');
      await oldSession(`${OLD}/session-other`, 'other');
      const bot = newBot({ clientId: 'whatsapp-automation-pro-v2' });
      await bot.finish(bot.session.importSession(OLD));
      expect(await bot.client.readLogin()).toMatchObject({ note: 'unnamed' });
    });

    it.each([
      [['session-other', 'session'], /no session in .* of the client id 'shop'.*session-other/],
      [['session-shop', 'RemoteAuth-shop'], /several sessions.*RemoteAuth-shop.*session-shop/],
      [['something'], /there is no old session in/],
    ])('refuses %j and lists what was found', async (names, message) => {
      for (const name of names) await oldSession(`${OLD}/${name}`);
      const bot = newBot();
      const error = await bot.finish(bot.session.importSession(OLD)).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'CONFIGURATION', operation: 'importSession' });
      expect(String(error)).toMatch(message);
    });
  });

  describe('of a path that is none', () => {
    it.each([['/nowhere', /nothing at '\/nowhere'/] as const, ['', /is no path/] as const])(
      'refuses %j',
      async (from, message) => {
        const bot = newBot();
        await expect(bot.finish(bot.session.importSession(from))).rejects.toThrow(message);
      },
    );

    it('says of the profile in use that nothing has to be moved', async () => {
      const bot = await stage().loggedInOnce({ session: BY_HAND });
      for (const from of [bot.client.profileDir, join(bot.client.profileDir, '..')]) {
        await expect(bot.finish(bot.session.importSession(from))).rejects.toMatchObject({
          code: 'CONFIGURATION',
        });
      }
      expect(await bot.client.readLogin()).toBeDefined();
    });
  });

  describe('of a zip', () => {
    const zip = `${OLD}/RemoteAuth-shop.zip`;

    it.each([['deflated, with entries for folders', true] as const, ['stored', false] as const])(
      "takes RemoteAuth's: %s",
      async (_how, deflate) => {
        await oldSession('/somewhere');
        await stage().fs.promises.mkdir(OLD, { recursive: true });
        await stage().fs.promises.writeFile(zip, await zipOf(stage().fs, '/somewhere', { deflate }));
        const bot = newBot();
        await bot.finish(bot.session.importSession(zip));
        await bot.start();
        expect(bot.state).toBe('ready');
        expect(bot.codes).toEqual([]);
        expect(await stage().exists(`${zip}.moved.json`)).toBe(true);
        expect(await leftovers(stage(), bot)).toEqual([]);
      },
    );

    it('takes one with folders around the profile, whatever client id they name: a person has named the file', async () => {
      await oldSession('/somewhere');
      await stage().fs.promises.mkdir(OLD, { recursive: true });
      await stage().fs.promises.writeFile(
        zip,
        await zipOf(stage().fs, '/somewhere', { below: 'bot/session-old/' }),
      );
      const bot = newBot();
      await bot.finish(bot.session.importSession(zip));
      await bot.start();
      expect(bot.state).toBe('ready');
    });

    it('that was chosen by its name refuses what is of another client id inside', async () => {
      await oldSession('/somewhere');
      await stage().fs.promises.mkdir(OLD, { recursive: true });
      await stage().fs.promises.writeFile(
        zip,
        await zipOf(stage().fs, '/somewhere', { below: 'session-other/' }),
      );
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(OLD))).rejects.toMatchObject({
        code: 'SNAPSHOT_UNSAFE',
        message: expect.stringContaining("holds the session of 'other'") as string,
      });
      expect(await leftovers(stage(), bot)).toEqual([]);
    });

    it('takes a backup of this library, compared with its manifest, and knows the account from it', async () => {
      const other = stage().bot({ folder: '/other', session: BY_HAND });
      await other.logIn('4915100000007@c.us');
      await other.backUp('backed up');
      await other.stop();
      const [backup = ''] = await zipsIn('/other/backup/shop');
      const bot = newBot();
      await bot.finish(bot.session.importSession(backup));
      await bot.start();
      expect(bot.state).toBe('ready');
      expect(await bot.client.readLogin()).toMatchObject({ note: 'backed up' });
    });

    it('refuses a backup of this library with a byte changed', async () => {
      const other = stage().bot({ folder: '/other', session: BY_HAND });
      await other.logIn();
      await other.backUp('backed up');
      await other.stop();
      const [backup = ''] = await zipsIn('/other/backup/shop');
      const bytes = (await stage().fs.promises.readFile(backup)) as Buffer;
      const at = bytes.indexOf('PK\x01\x02', 0, 'latin1') - 30; // the end of the last file's bytes
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await stage().fs.promises.writeFile(backup, bytes);
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(backup))).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
      });
    });

    it.each([
      ['no zip', 'hello', 'SNAPSHOT_CORRUPT'],
      ['an empty file', '', 'SNAPSHOT_CORRUPT'],
    ])('refuses %s', async (_name, bytes, code) => {
      await stage().fs.promises.mkdir(OLD, { recursive: true });
      await stage().fs.promises.writeFile(zip, bytes);
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(zip))).rejects.toMatchObject({ code });
      expect(await leftovers(stage(), bot)).toEqual([]);
    });

    it('refuses one that was cut', async () => {
      await oldSession('/somewhere');
      const bytes = await zipOf(stage().fs, '/somewhere', { deflate: true });
      await stage().fs.promises.mkdir(OLD, { recursive: true });
      await stage().fs.promises.writeFile(zip, bytes.subarray(0, bytes.length - 30));
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(zip))).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
      });
    });

    it('refuses one whose bot is still alive: its folder lies beside it', async () => {
      await oldSession(`${OLD}/RemoteAuth-shop`);
      await stage().fs.promises.writeFile(zip, await zipOf(stage().fs, `${OLD}/RemoteAuth-shop`));
      await takeOver(stage().fs, `${OLD}/RemoteAuth-shop`, `${hostname()}-${process.pid}`);
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(zip))).rejects.toMatchObject({
        code: 'PROFILE_LOCKED',
        pid: process.pid,
      });
    });
  });

  describe('of a damaged session', () => {
    it.each([
      ['torn', `${INDEXED_DB}/MANIFEST-000001`, 'PROFILE_UNSOUND'],
      ['of half a login', INDEXED_DB, 'PROFILE_UNSOUND'],
    ])('refuses one that is %s, and the session runs on as it was', async (_name, lost, code) => {
      await oldSession();
      await stage().remove(`${OLD}/session-shop/${lost}`);
      const bot = newBot();
      await bot.logIn();
      await expect(bot.finish(bot.session.importSession(`${OLD}/session-shop`))).rejects.toMatchObject({
        code,
      });
      expect(bot.state).toBe('ready');
      expect(bot.client.launches).toBe(1);
      expect(await bot.session.listSnapshots()).toHaveLength(bot.payloads('save:completed').length);
      expect(await stage().exists(`${OLD}/session-shop.moved.json`)).toBe(false);
    });

    it('names what is wrong', async () => {
      await oldSession();
      const log = `${OLD}/session-shop/${INDEXED_DB}/000003.log`;
      const bytes = (await stage().fs.promises.readFile(log)) as Buffer;
      bytes.fill(0, 10, 40);
      await stage().fs.promises.writeFile(log, bytes);
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(`${OLD}/session-shop`))).rejects.toThrow(
        /000003\.log/,
      );
    });
  });

  describe('while the old bot may be alive', () => {
    it('is refused with the pid of a live browser, before anything stops', async () => {
      await oldSession();
      await takeOver(stage().fs, `${OLD}/session-shop`, `${hostname()}-${process.pid}`);
      const bot = newBot();
      await bot.logIn();
      const error = await bot
        .finish(bot.session.importSession(`${OLD}/session-shop`))
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'PROFILE_LOCKED', pid: process.pid });
      expect(String(error)).toContain(`pid ${process.pid}`);
      expect(bot.client.launches).toBe(1);
    });

    it('is refused when a browser opens it while it is copied', async () => {
      await oldSession();
      const { fs } = stage();
      let isOpen = false;
      const open: typeof fs.promises.open = async (path, ...rest) => {
        if (!isOpen && String(path).includes('/staging/')) {
          isOpen = true;
          await takeOver(fs, `${OLD}/session-shop`, `${hostname()}-${process.pid}`);
        }
        return fs.promises.open(path, ...rest);
      };
      const promises = new Proxy(fs.promises, {
        get: (target, name) => (name === 'open' ? open : Reflect.get(target, name)),
      });
      const bot = newBot({ fs: { ...fs, promises } });
      await expect(bot.finish(bot.session.importSession(`${OLD}/session-shop`))).rejects.toMatchObject({
        code: 'PROFILE_LOCKED',
        pid: process.pid,
      });
      expect(isOpen).toBe(true);
      expect(await bot.session.listSnapshots()).toEqual([]);
    });

    it('is refused when another session of this process has it', async () => {
      const other = stage().bot({ folder: '/other', session: BY_HAND });
      await other.logIn();
      const bot = newBot();
      await expect(bot.finish(bot.session.importSession(other.client.profileDir))).rejects.toMatchObject({
        code: 'PROFILE_LOCKED',
        pid: process.pid,
      });
    });

    it('waits for another session of this process that is being closed', async () => {
      const other = stage().bot({ folder: '/other', session: BY_HAND });
      await other.logIn();
      await other.note('last words');
      const closing = other.client.destroy();
      const bot = newBot();
      await bot.finish(bot.session.importSession(other.client.profileDir));
      await other.finish(closing);
      expect(await bot.client.readLogin()).toMatchObject({ note: 'last words' });
    });

    it('goes on past the lock of a dead process', async () => {
      await oldSession();
      await takeOver(stage().fs, `${OLD}/session-shop`, `${hostname()}-4194000`);
      const bot = newBot();
      await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
      expect(bot.payloads('session:imported')).toHaveLength(1);
    });

    it("goes on past another host's lock when nobody has written for minutes", async () => {
      await oldSession();
      await takeOver(stage().fs, `${OLD}/session-shop`, 'old-container-31');
      const bot = newBot();
      const begun = stage().clock.monotonic();
      await bot.finish(bot.session.importSession(`${OLD}/session-shop`), { stepMs: 1 });
      expect(stage().clock.monotonic() - begun).toBeLessThan(60_000);
    });

    it("watches a session with another host's lock that was written to just now", async () => {
      await oldSession();
      await takeOver(stage().fs, `${OLD}/session-shop`, 'old-container-31');
      const log = `${OLD}/session-shop/${INDEXED_DB}/000003.log`;
      const now = new Date(stage().clock.now());
      await stage().fs.promises.utimes(log, now, now);
      const bot = newBot();
      const begun = stage().clock.monotonic();
      await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
      expect(stage().clock.monotonic() - begun).toBeGreaterThanOrEqual(60_000);
      expect(bot.payloads('session:imported')).toHaveLength(1);
    });

    it('is refused when the watched one is written to', async () => {
      await oldSession();
      await takeOver(stage().fs, `${OLD}/session-shop`, 'old-container-31');
      const log = `${OLD}/session-shop/${INDEXED_DB}/000003.log`;
      const touch = async () => {
        const now = new Date(stage().clock.now());
        await stage().fs.promises.utimes(log, now, now);
      };
      await touch();
      const bot = newBot();
      const importing = bot.session.importSession(`${OLD}/session-shop`);
      importing.catch(() => undefined);
      await stage().clock.advance(10_000);
      await bot.until('a while', () => true);
      await stage().clock.advance(10_000);
      await touch();
      await expect(bot.finish(importing)).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    });
  });

  describe('of a login that WhatsApp takes no more', () => {
    it('ends in a QR with a warning; the rejected login is in quarantine, and the next scan is a new lineage', async () => {
      await oldSession();
      stage().whatsApp.revokeAll();
      const bot = newBot();
      const info = await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
      await bot.start();
      expect(bot.state).toBe('awaiting_qr');
      expect(bot.codes).toHaveLength(1);
      expect(bot.warnings.filter((code) => code === 'login-rejected')).toHaveLength(1);
      expect(bot.payloads('session:quarantined').at(-1)).toMatchObject({ reason: 'login-rejected' });
      await bot.client.scan();
      await bot.untilState('ready');
      expect((await bot.save('new')).lineage).not.toBe(info.lineage);
    });

    it('brings back the login that was there before, and leaves its snapshots to be restored', async () => {
      const dead = await oldSession();
      stage().whatsApp.revoke(dead);
      const bot = newBot();
      await bot.logIn();
      const own = await bot.save('own');
      await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
      expect(bot.state).toBe('ready');
      expect(await bot.client.readLogin()).toMatchObject({ note: 'own' });
      await bot.finish(bot.session.restore(own.id));
      expect(bot.state).toBe('ready');
      expect(bot.codes).toHaveLength(1); // the first pairing's
    });
  });

  describe('that fails on the way', () => {
    it('leaves no snapshot, no marker and the profile as it was', async () => {
      await oldSession();
      const bot = newBot();
      await bot.logIn();
      const own = await bot.save('own');
      await bot.stop();
      bot.session.on('restore:started', () => stage().fs.arm({ operation: 'mkdir', failOn: 1 }));
      await expect(bot.finish(bot.session.importSession(`${OLD}/session-shop`))).rejects.toMatchObject({
        code: 'STORE',
        operation: 'importSession',
      });
      stage().fs.arm({});
      const left = (await bot.session.listSnapshots()).filter(({ lineage }) => lineage !== own.lineage);
      expect(left).toEqual([]);
      expect(await bot.client.readLogin()).toMatchObject({ note: 'own' });
      expect(await stage().exists(`${OLD}/session-shop.moved.json`)).toBe(false);
    });

    it('that is cut short right after the profile came into place counts as done', async () => {
      await oldSession();
      const bot = newBot();
      await bot.logIn('4915100000002@c.us');
      await bot.save('own');
      await bot.stop();
      bot.session.on('session:quarantined', () =>
        stage().fs.arm({ operation: 'rename', path: /session\.json$/, failOn: 1 }),
      );
      await expect(bot.finish(bot.session.importSession(`${OLD}/session-shop`))).rejects.toMatchObject({
        code: 'STORE',
      });
      stage().fs.arm({});
      const next = newBot();
      await next.start();
      expect(next.state).toBe('ready');
      expect(await next.client.readLogin()).toMatchObject({ note: 'from the old bot' });
      expect(warned(next)).toEqual([]); // its account is not taken for a change of the other's
      const imported = (await next.session.listSnapshots()).find(({ run }) => run === 0) as SnapshotInfo;
      expect((await next.save('later')).lineage).toBe(imported.lineage);
    });

    it('is only a warning where the old session can not be marked', async () => {
      await oldSession();
      const bot = newBot();
      stage().fs.arm({ operation: 'handle.writeFile', path: /moved\.json\.tmp$/, failOn: 1, errno: 'EROFS' });
      await bot.finish(bot.session.importSession(`${OLD}/session-shop`));
      expect(warned(bot)).toEqual(['cleanup-failed']);
      expect(bot.payloads('session:imported')).toHaveLength(1);
    });
  });
});

describe('a first start', () => {
  const stage = useFakeStage();
  const AUTH = resolve('.wwebjs_auth');

  async function oldSession(path: string, note = 'from the old bot'): Promise<void> {
    await writeFakeProfile(stage().fs, path, { ...stage().whatsApp.pair('4915100000001@c.us'), note });
  }

  function newBot(options: Parameters<FakeStage['bot']>[0] = {}): FakeBot {
    return stage().bot({ auth: 'none', ...options, session: { ...BY_HAND, ...options.session } });
  }

  async function expectImported(bot: FakeBot, from: string): Promise<void> {
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('session:imported')).toMatchObject([{ from }]);
    expect(warned(bot)).toEqual([]);
  }

  /** Nothing is taken; a QR is shown, and one warning names the call. */
  async function expectOffered(bot: FakeBot, path: string, why: RegExp): Promise<void> {
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.payloads('session:imported')).toEqual([]);
    const offers = bot.payloads('warning').filter(({ code }) => code === 'import-available');
    expect(offers).toHaveLength(1);
    expect(offers[0]?.message).toContain(`session.importSession("${path}")`);
    expect(offers[0]?.message).toMatch(why);
  }

  it.each(['session-shop', 'RemoteAuth-shop'])(
    'of a NoAuth client takes over .wwebjs_auth/%s',
    async (name) => {
      await oldSession(join(AUTH, name));
      await expectImported(newBot(), join(AUTH, name));
    },
  );

  it('takes over a zip of RemoteAuth', async () => {
    await oldSession('/somewhere');
    const zip = join(AUTH, 'RemoteAuth-shop.zip');
    await stage().fs.promises.mkdir(AUTH, { recursive: true });
    await stage().fs.promises.writeFile(zip, await zipOf(stage().fs, '/somewhere', { deflate: true }));
    await expectImported(newBot(), zip);
  });

  it('of a LocalAuth client takes over what RemoteAuth kept in its folder', async () => {
    await oldSession('/bot/auth/RemoteAuth-shop');
    await expectImported(newBot({ auth: 'local' }), '/bot/auth/RemoteAuth-shop');
  });

  it('takes over what the older system kept in the root of sessionPath, for its client id', async () => {
    await oldSession('/bot/session');
    const bot = newBot({ session: { clientId: 'whatsapp-automation-pro-v2' } });
    await expectImported(bot, '/bot/session');
    expect(await stage().exists('/bot/session/moved.json')).toBe(true);
    expect(await stage().exists('/bot/session/Default')).toBe(true);
  });

  it('takes nothing over twice', async () => {
    await oldSession(join(AUTH, 'session-shop'));
    const bot = newBot();
    await expectImported(bot, join(AUTH, 'session-shop'));
    await bot.stop();
    const next = newBot();
    await next.start();
    expect(next.payloads('session:imported')).toEqual([]);
    expect(next.payloads('restore:started')).toEqual([]);
    expect(warned(next)).toEqual([]);
  });

  it('leaves a QR of a dead login to the usual rules, and restores it only once', async () => {
    await oldSession(join(AUTH, 'session-shop'));
    stage().whatsApp.revokeAll();
    const bot = newBot();
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.codes).toHaveLength(1);
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'imported' }]);
    expect(warned(bot)).toEqual(['login-rejected']);
  });

  it('is not disturbed where there is nothing', async () => {
    const bot = newBot();
    await bot.start();
    expect(warned(bot)).toEqual([]);
  });

  it('is not disturbed by sessions of other client ids, or by folders without a login', async () => {
    await oldSession(join(AUTH, 'session-other'));
    await stage().fs.promises.mkdir(join(AUTH, 'session-shop/Default'), { recursive: true });
    const bot = newBot();
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(warned(bot)).toEqual([]);
  });

  it('is not disturbed while the bot has a profile', async () => {
    await stage().loggedInOnce({ auth: 'none', session: BY_HAND });
    await oldSession(join(AUTH, 'session-shop'));
    const bot = newBot();
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.payloads('session:imported')).toEqual([]);
    expect(warned(bot)).toEqual([]);
  });

  describe('imports nothing, and names the call,', () => {
    it.each(['session', 'RemoteAuth'])('for %s, which names no client id', async (name) => {
      await oldSession(join(AUTH, name));
      await expectOffered(newBot(), join(AUTH, name), /does not tell the client id/);
    });

    it('for one without a client id, unless it was moved to another bot already', async () => {
      const path = join(AUTH, 'session');
      await oldSession(path);
      const other = newBot({ folder: '/other', session: { clientId: 'other' } });
      await other.finish(other.session.importSession(path));
      const bot = newBot();
      await bot.start();
      expect(bot.state).toBe('awaiting_qr');
      expect(warned(bot)).toEqual([]);
    });

    it("for the older system's profile, when the client id is another", async () => {
      await oldSession('/bot/session');
      await expectOffered(newBot(), '/bot/session', /does not tell the client id/);
    });

    it('when there are two', async () => {
      await oldSession(join(AUTH, 'session-shop'));
      await oldSession(join(AUTH, 'RemoteAuth-shop'));
      await expectOffered(newBot(), join(AUTH, 'session-shop'), /several/);
    });

    it('when it is a zip with the session of another client id in it', async () => {
      await oldSession('/somewhere');
      const zip = join(AUTH, 'RemoteAuth-shop.zip');
      await stage().fs.promises.mkdir(AUTH, { recursive: true });
      await stage().fs.promises.writeFile(
        zip,
        await zipOf(stage().fs, '/somewhere', { below: 'session-other/' }),
      );
      await expectOffered(newBot(), zip, /holds the session of 'other'/);
    });

    it('while a live process holds it', async () => {
      const path = join(AUTH, 'session-shop');
      await oldSession(path);
      await takeOver(stage().fs, path, `${hostname()}-${process.pid}`);
      await expectOffered(newBot(), path, new RegExp(`pid ${process.pid}`));
    });

    it('when it is damaged', async () => {
      const path = join(AUTH, 'session-shop');
      await oldSession(path);
      await stage().remove(join(path, INDEXED_DB, 'MANIFEST-000001'));
      await expectOffered(newBot(), path, /no whole copy|is corrupt/);
    });

    it('when it was moved before', async () => {
      const path = join(AUTH, 'session-shop');
      await oldSession(path);
      await stage().fs.promises.writeFile(`${path}.moved.json`, '{}');
      await expectOffered(newBot(), path, /moved/);
    });

    it('after a clear(): nothing comes back by itself', async () => {
      const path = join(AUTH, 'session-shop');
      const first = await stage().loggedInOnce({ auth: 'none', session: BY_HAND });
      await oldSession(path);
      await first.finish(first.session.clear());
      await expectOffered(newBot(), path, /clear\(\)/);
    });

    it.each([
      ['record', /login of its own/],
      ['stores', /removed before/],
    ])('after a removal of which only the %s know(s)', async (who, why) => {
      const path = join(AUTH, 'session-shop');
      await oldSession(path);
      const mark = '20261101-0a1b2c3d';
      if (who === 'stores') {
        const store = new FileSystemStore('/bot/session/store', { fs: stage().fs });
        await marksIn(store, 'shop').hold(mark, { cause: 'removed', at: new Date().toISOString() });
      } else {
        const folder = '/bot/session/profile/.shop.persistent';
        await stage().fs.promises.mkdir(folder, { recursive: true });
        const text = JSON.stringify({ format: 1, heldLineages: [mark] });
        await stage().fs.promises.writeFile(join(folder, 'session.json'), text);
      }
      await expectOffered(newBot(), path, why);
    });

    it('after a logout', async () => {
      const path = join(AUTH, 'session-shop');
      const first = newBot();
      await first.logIn();
      await oldSession(path);
      await first.client.logOutByPhone();
      await first.untilState('awaiting_qr');
      await first.stop();
      await expectOffered(newBot(), path, /login of its own/);
    });

    it('after a logout of which only the stores know', async () => {
      const path = join(AUTH, 'session-shop');
      const first = newBot();
      await first.logIn();
      await first.save('own');
      await first.client.logOutByPhone();
      await first.untilState('awaiting_qr');
      await first.stop();
      await oldSession(path);
      await stage().remove('/bot/session/profile');
      await expectOffered(newBot(), path, /there are snapshots/);
    });

    it('when a profile is in quarantine', async () => {
      const path = join(AUTH, 'session-shop');
      await oldSession(path);
      const aside = '/bot/session/profile/.shop.persistent/quarantine/20260101T000000000Z-00000000';
      await oldSession(`${aside}/profile`);
      await expectOffered(newBot(), path, /quarantine/);
    });
  });
});

/** The warnings but for that of the disk under the tests. */
function warned({ warnings }: FakeBot): readonly string[] {
  return warnings.filter((code) => code !== 'storage');
}

/** Every file below a folder with its bytes. */
async function contents(stage: FakeStage, folder: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const path of await stage.filesBelow(folder)) {
    all.set(path, String(await stage.fs.promises.readFile(path, 'latin1')));
  }
  return all;
}

/** What an import has left in staging. */
async function leftovers(stage: FakeStage, { client }: FakeBot): Promise<readonly string[]> {
  const side = join(client.profileDir, '..', `.shop.persistent`, 'staging');
  return stage.fs.promises.readdir(side).then(
    (names) => names.map(String),
    () => [],
  );
}
