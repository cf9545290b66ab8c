import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('a QR although nobody logged out', () => {
  const stage = useFakeStage();

  /** A session with `count` settled snapshots, stopped in order. */
  async function saved(count: number) {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    for (let round = 1; round < count; round++) {
      await bot.save(`save ${round}`);
      await stage().clock.advance(1000);
    }
    await bot.note('the last one');
    await bot.stop();
    return bot;
  }

  it('is held back: the newest snapshot is restored, and the bot is ready without having seen it', async () => {
    const first = await saved(1);
    await first.client.writeLogin({ credential: 'of somebody else', note: 'sound, but unknown' });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.heard.map(([name]) => name)).toEqual(['authenticated', 'ready']);
    expect(bot.payloads('restore:completed')).toMatchObject([{ reason: 'silent-logout' }]);
    expect(bot.payloads('session:quarantined')).toHaveLength(1);
  });

  it('requests no pairing code either while one would be superseded', async () => {
    const first = await saved(1);
    await first.client.writeLogin({ credential: 'of somebody else', note: 'sound, but unknown' });
    const bot = stage().bot({ client: { pairWithPhoneNumber: '4915100000001' }, session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.heard.map(([name]) => name)).toEqual(['authenticated', 'ready']);
    expect(stage().whatsApp.codes).toBe(1); // of the first pairing
  });

  it('tries the newest snapshot, then at most one older one, then shows the QR with a warning', async () => {
    await saved(4);
    stage().whatsApp.revokeAll();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.codes).toHaveLength(1);
    const restored = bot.payloads('restore:completed').map(({ snapshot }) => snapshot.id);
    const ids = (await bot.session.listSnapshots()).map(({ id }) => id);
    expect(restored).toEqual(ids.slice(0, 2));
    expect(bot.warnings.filter((code) => code === 'login-rejected')).toHaveLength(1);
    expect(ids).toHaveLength(4);
  });

  it('tries no older one than maxRollbackMs', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.save('old');
    stage().clock.setNow(stage().clock.now() + 8 * DAY_MS);
    await first.save('new');
    await first.stop();
    stage().whatsApp.revokeAll();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    const restored = bot.payloads('restore:completed').map(({ snapshot }) => snapshot.createdAt);
    const oldest = stage().clock.now() - 7 * DAY_MS;
    expect(restored.length).toBeGreaterThan(0);
    for (const createdAt of restored) expect(Date.parse(createdAt)).toBeGreaterThan(oldest);
  });

  it('keeps the original in quarantine longer than the copies that were restored over it', async () => {
    await saved(4);
    stage().whatsApp.revokeAll();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    const [original = '', ...copies] = bot.payloads('session:quarantined').map(({ path }) => path);
    expect(copies).toHaveLength(2);
    const restored = bot.payloads('restore:completed').map(({ snapshot }) => snapshot.id);
    const notes = await Promise.all([original, ...copies].map(readNote));
    expect(notes.map(({ copyOf }) => copyOf)).toEqual([undefined, ...restored]);
    await bot.stop();
    stage().clock.setNow(stage().clock.now() + 100 * DAY_MS);
    await stage().bot({ session: BY_HAND }).start();
    for (const path of [original, ...copies]) expect(await stage().exists(path)).toBe(true);
  });

  it('takes no profile for a copy that went on after it was restored', async () => {
    const first = await saved(2);
    await stage().damageProfile(first);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await bot.save('it went on');
    await bot.stop();
    stage().whatsApp.revokeAll();
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    const [original] = next.payloads('session:quarantined');
    expect(await readNote(original?.path ?? '')).not.toHaveProperty('copyOf');
  });

  async function readNote(path: string): Promise<{ readonly copyOf?: string }> {
    return JSON.parse(String(await stage().fs.promises.readFile(`${path}/reason.json`, 'utf8')));
  }

  it('does not repeat all that at the next start without a scan', async () => {
    await saved(3);
    stage().whatsApp.revokeAll();
    const first = stage().bot({ session: BY_HAND });
    await first.start();
    await first.stop();
    const second = stage().bot({ session: BY_HAND });
    await second.start();
    expect(second.state).toBe('awaiting_qr');
    expect(second.payloads('restore:started')).toEqual([]);
    expect(second.client.launches).toBe(1);
  });

  it('begins a new lineage with the scan that follows, and that one is ready at the next start', async () => {
    await saved(3);
    stage().whatsApp.revokeAll();
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await bot.client.scan();
    await bot.untilState('ready');
    await bot.stop();
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('ready');
    expect(next.session.status()).toMatchObject({ lineage: bot.session.status().lineage, run: 2 });
    const lineages = new Set((await next.session.listSnapshots()).map(({ lineage }) => lineage));
    expect(lineages.size).toBe(2);
  });

  it('begins one also when the process ends between the scan and ready: its snapshots are restored', async () => {
    await saved(3);
    stage().whatsApp.revokeAll();
    const scanned = stage().bot({ session: BY_HAND });
    await scanned.start();
    stage().whatsApp.neverReady = true;
    await scanned.client.scan();
    await scanned.stop();
    stage().whatsApp.neverReady = false;
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await stage().clock.advance(100_000);
    const good = await bot.save('of the new login');
    await bot.stop();
    await stage().damageProfile(bot);
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('ready');
    expect(next.codes).toEqual([]);
    expect(next.payloads('restore:completed').map(({ snapshot }) => snapshot.lineage)).toEqual([
      good.lineage,
    ]);
  });

  it('says that there is no snapshot where there is none', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    stage().whatsApp.revokeAll();
    stage().fs.arm({ path: '/session/store', failOn: 1, times: Number.POSITIVE_INFINITY, errno: 'ENOSPC' });
    await first.stop(); // no final save
    stage().fs.arm({});
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.payloads('warning')).toContainEqual({
      code: 'login-rejected',
      message: expect.stringContaining('no snapshot is there'),
    });
  });

  it('is not shown while the browser that lost its login still waits for a save to end', async () => {
    await saved(1);
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.start();
    await bot.save('good');
    await bot.note('more');
    const { lineage } = bot.session.status();
    const put = store.put.bind(store);
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    store.put = async (...args) => {
      await waiting;
      return put(...args);
    };
    const saving = bot.session.forceSave().catch(() => undefined);
    await bot.until('the save to wait', () => true);
    await bot.client.writeLogin({ credential: 'of somebody else', note: 'sound, but unknown' });
    bot.client.pupPage?.navigate();
    await bot.until('the loss', () => bot.state === 'reconnecting', { stepMs: 100 });
    bot.client.showQr(); // WhatsApp renews it every 20 s
    expect([bot.state, bot.codes]).toEqual(['reconnecting', []]);
    goOn();
    await bot.finish(saving);
    await bot.untilState('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.session.status().lineage).toBe(lineage);
  });

  it('shows itself where the session is up and its page loses the login: restored by a reconnect', async () => {
    await saved(1);
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    await bot.client.writeLogin({ credential: 'of somebody else', note: 'sound, but unknown' });
    bot.client.pupPage?.navigate(); // the page reloads
    await bot.until('the loss', () => bot.state !== 'ready');
    await bot.untilState('ready');
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('reconnect:succeeded')).toMatchObject([{ cause: 'state-lost' }]);
  });

  it('is a logout when the server says so: revoked at once, and a QR', async () => {
    await saved(3);
    stage().whatsApp.revokeAll();
    stage().whatsApp.answersWithLogout = true;
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'server' }]);
    expect(bot.payloads('restore:started')).toEqual([]);
    expect((await bot.session.listSnapshots()).every(({ revoked }) => revoked)).toBe(true);
  });

  it("ends in stopped when the server logs out and onLogout is 'stop'", async () => {
    await saved(1);
    stage().whatsApp.revokeAll();
    stage().whatsApp.answersWithLogout = true;
    const bot = stage().bot({ session: { ...BY_HAND, onLogout: 'stop' } });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED', retryable: false });
    await bot.untilState('stopped');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'server' }]);
  });

  it('is not shown while the store can not be asked for anything better: the start is tried again', async () => {
    await saved(1);
    stage().whatsApp.revokeAll();
    const bot = stage().bot({ session: { ...BY_HAND, maxReconnectAttempts: 50 } });
    bot.client.authStrategy.afterBrowserInitialized = async () => {
      if (bot.client.launches > 2) return;
      stage().fs.arm({
        path: '/session/store/shop',
        failOn: 1,
        times: Number.POSITIVE_INFINITY,
        errno: 'EIO',
      });
    };
    const start = bot.session.initialize();
    await bot.until('some tries', () => bot.payloads('reconnect:attempted').length >= 2);
    expect(bot.codes).toEqual([]);
    stage().fs.arm({});
    await bot.finish(start);
    expect(bot.state).toBe('awaiting_qr');
    expect(bot.warnings).toContain('login-rejected');
  });
});
