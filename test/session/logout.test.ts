import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('a logout by the phone', () => {
  const stage = useFakeStage();

  it('is final: revoked, the profile in quarantine, and a new QR in a new browser', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    const before = bot.client.launches;
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'phone' }]);
    expect(bot.payloads('session:quarantined')).toMatchObject([{ reason: 'logged-out' }]);
    expect(await bot.session.listSnapshots()).toMatchObject([{ revoked: true }]);
    expect(bot.client.launches).toBe(before + 1);
    expect(bot.payloads('restore:started')).toEqual([]);
    expect(bot.heard.map(([name]) => name)).toEqual(['qr', 'authenticated', 'ready', 'disconnected', 'qr']);
  });

  it('says at every later start why the snapshots that are there are not restored', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.stop();
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.payloads('warning')).toContainEqual({
      code: 'nothing-to-restore',
      message: expect.stringContaining('1 of a login that was logged out'),
    });
  });

  it('never lets LocalAuth delete the profile: the quarantine has it all', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.client.authStrategy.logout();
    expect(await bot.client.readLogin()).toBeDefined();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    const [quarantined] = bot.payloads('session:quarantined');
    const kept = await stage().filesBelow(quarantined?.path ?? '');
    expect(kept.filter((path) => path.includes('/Default/'))).toHaveLength(6);
  });

  it('takes no save on the way', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    const logout = bot.client.logOutByPhone();
    const save = bot.session.forceSave();
    await logout;
    expect(await bot.finish(save)).toEqual({ skipped: 'not-ready' });
    await bot.untilState('awaiting_qr');
    expect(await bot.session.listSnapshots()).toEqual([]);
  });

  it('is final also when the process is killed before the browser is closed', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    const browser = bot.client.pupBrowser;
    if (browser) browser.hangs = true; // it does not close
    await bot.client.logOutByPhone();
    await bot.until('the note', () => true);
    const record = await stage().fs.promises.readFile(
      '/bot/auth/.session-shop.persistent/session.json',
      'utf8',
    );
    const { lineage } = bot.session.status();
    expect(JSON.parse(String(record))).toMatchObject({ loggedIn: false, revokedLineages: [lineage] });
    expect(bot.payloads('session:revoked')).toEqual([]);
  });

  it('is followed by a new lineage with the next scan, whose next start is ready', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    const { lineage } = bot.session.status();
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    await bot.client.scan();
    await bot.untilState('ready');
    expect(bot.session.status()).toMatchObject({ run: 1 });
    expect(bot.session.status().lineage).not.toBe(lineage);
    await bot.stop();
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('ready');
    expect(next.codes).toEqual([]);
  });

  it('stays final at the next start: a QR, nothing is restored', async () => {
    const first = stage().bot({ session: { ...BY_HAND, onLogout: 'stop' } });
    await first.logIn();
    await first.save('one');
    await first.client.logOutByPhone();
    await first.untilState('stopped');
    expect(stage().clock.pendingTimers).toBe(0);
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.payloads('restore:started')).toEqual([]);
  });

  it('is undone by restore(id) only, as a lineage of its own', async () => {
    const bot = stage().bot({ session: { ...BY_HAND, onLogout: 'stop' } });
    await bot.logIn();
    const { id, lineage } = await bot.save('one');
    await bot.client.logOutByPhone();
    await bot.untilState('stopped');
    await expect(bot.finish(bot.session.restore())).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    await bot.finish(bot.session.restore(id));
    expect((await bot.client.readLogin())?.note).toBe('one');
    expect(bot.session.status().lineage).not.toBe(lineage);
  });

  it('is kept by this machine while a store is down, with a warning, and told to the store at the next start', async () => {
    const store = new MemoryStore();
    const bot = stage().bot({ session: { ...BY_HAND, store, onLogout: 'stop' } });
    await bot.logIn();
    await bot.save('one');
    store.setDown(true);
    await bot.client.logOutByPhone();
    await bot.untilState('stopped');
    expect(bot.warnings).toContain('revocation-incomplete');
    store.setDown(false);
    expect(await bot.session.listSnapshots()).toMatchObject([{ revoked: false }]);
    const next = stage().bot({ session: { ...BY_HAND, store } });
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    expect(next.payloads('restore:started')).toEqual([]);
    expect(await next.session.listSnapshots()).toMatchObject([{ revoked: true }]);
  });

  it('that the store still does not hear of is repeated again later, with a warning each time', async () => {
    const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
    const bot = stage().bot({ session: { ...BY_HAND, ...stores, onLogout: 'stop' } });
    await bot.logIn();
    await bot.save('one');
    stores.store.setDown(true);
    await bot.client.logOutByPhone();
    await bot.untilState('stopped');
    const next = stage().bot({
      session: { ...BY_HAND, ...stores, maxInitRetries: 0, maxReconnectAttempts: 0 },
    });
    await next.start().catch(() => undefined);
    expect(next.warnings).toContain('revocation-incomplete');
    expect(next.payloads('restore:started')).toEqual([]);
    stores.store.setDown(false);
  });
});

describe('client.logout() by the bot', () => {
  const stage = useFakeStage();

  it('unlinks the device, revokes the session and ends in stopped', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    const login = await bot.client.readLogin();
    await bot.finish(bot.client.logout());
    expect(bot.state).toBe('stopped');
    expect(bot.payloads('session:revoked')).toEqual([{ cause: 'client' }]);
    expect(bot.payloads('session:quarantined')).toMatchObject([{ reason: 'logged-out' }]);
    expect(login && stage().whatsApp.accepts(login)).toBe(false);
    expect(await bot.session.listSnapshots()).toMatchObject([{ revoked: true }]);
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
  });

  it('says so when the page does not answer: the session is stopped, and nothing is revoked', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    const login = await bot.client.readLogin();
    Object.assign(bot.client.pupPage ?? {}, { evaluate: () => new Promise(() => undefined) });
    await expect(bot.finish(bot.client.logout())).rejects.toThrow();
    expect(bot.state).toBe('stopped');
    expect(bot.payloads('session:revoked')).toEqual([]);
    expect(await bot.session.listSnapshots()).toMatchObject([{ revoked: false }]);
    expect(login && stage().whatsApp.accepts(login)).toBe(true);
  });

  it.each([
    ['an error', new Error('Evaluation failed: the socket is closed'), 'the socket is closed'],
    ['undefined', undefined, 'it failed without a reason'],
  ])('that fails with %s keeps everything, and its reason is told', async (_name, thrown, reason) => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.save('one');
    const page = bot.client.pupPage;
    const evaluate = page?.evaluate.bind(page);
    Object.assign(page ?? {}, {
      evaluate: (script: string) =>
        script === 'Socket.logout' ? Promise.reject(thrown) : evaluate?.(script),
    });
    const logout = bot.finish(bot.client.logout());
    await expect(logout).rejects.toMatchObject({ code: 'LOGOUT_FAILED' });
    await expect(logout).rejects.toThrow(reason);
    expect(bot.session.status().lastError).toMatchObject({ code: 'LOGOUT_FAILED' });
    expect(bot.session.status().lastError?.message).toContain(reason);
    expect(bot.payloads('session:revoked')).toEqual([]);
    const next = stage().bot({ session: BY_HAND });
    await next.start();
    expect(next.state).toBe('ready');
    expect(next.codes).toEqual([]);
  });

  it('that fails with undefined deletes nothing for clear({ logout: true })', async () => {
    const bot = stage().bot({ session: BY_HAND });
    bot.client.authStrategy.logout = () => Promise.reject(undefined);
    await bot.logIn();
    await bot.save('one');
    await expect(bot.finish(bot.session.clear({ logout: true }))).rejects.toMatchObject({
      code: 'LOGOUT_FAILED',
    });
    expect(await bot.session.listSnapshots()).toHaveLength(1);
  });

  it('that fails is told to its caller only, not to a destroy() or initialize() beside it', async () => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    Object.assign(bot.client.pupPage ?? {}, { evaluate: () => new Promise(() => undefined) });
    const logout = bot.client.logout();
    logout.catch(() => undefined);
    await bot.untilState('stopping', { limitMs: 0 });
    const destroyed = bot.session.destroy();
    const started = bot.session.initialize();
    await expect(bot.finish(logout)).rejects.toMatchObject({ code: 'LOGOUT_FAILED' });
    await bot.finish(Promise.all([destroyed, started]));
    expect(bot.state).toBe('ready');
  });

  it('is refused while nothing runs', async () => {
    const bot = stage().bot();
    await expect(bot.client.logout()).rejects.toMatchObject({ code: 'INVALID_STATE', operation: 'logout' });
  });
});
