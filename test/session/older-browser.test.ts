import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FakeBot, FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
  maxInitRetries: 0,
  maxReconnectAttempts: 0,
};
const DAY_MS = 24 * 60 * 60 * 1000;

describe('a browser that is older than the one that wrote the login', () => {
  const stage = useFakeStage();

  function bot(chromium: number | undefined, { client, session }: FakeBotOptions = {}): FakeBot {
    return stage().bot({
      client: { ...client, ...(chromium !== undefined && { chromium }) },
      session: { ...BY_HAND, ...session },
    });
  }

  /** Ran with this browser, was saved, and stopped. */
  async function ranWith(chromium: number, note: string): Promise<FakeBot> {
    const one = bot(chromium);
    await one.start();
    if (one.state === 'awaiting_qr') await one.client.scan();
    await one.untilState('ready');
    await stage().clock.advance(100_000);
    await one.note(note);
    await one.stop();
    return one;
  }

  const rejected = (one: FakeBot) =>
    stage()
      .fs.promises.readFile('/bot/auth/.session-shop.persistent/session.json', 'utf8')
      .then((text) => {
        const { rejectedLineages, rejectedSnapshots } = JSON.parse(String(text)) as Record<string, unknown>;
        return { rejectedLineages, rejectedSnapshots, of: one.client.profileDir };
      });
  const NOTHING_REJECTED = { rejectedLineages: [], rejectedSnapshots: [] };
  const TOO_OLD = {
    code: 'BROWSER_TOO_OLD',
    retryable: false,
    browser: 'Chrome/148.0.7000.1',
    writtenBy: 'Chrome/156.0.7000.1',
    message: expect.stringMatching(
      /Chrome\/156\.0\.7000\.1.*Chrome\/148\.0\.7000\.1.*Chromium 149 or newer/s,
    ),
  };

  it('is closed before its page opens: an error that names both, no QR, nothing rejected', async () => {
    await ranWith(156, 'mine');
    const older = bot(148);
    await expect(older.start()).rejects.toMatchObject(TOO_OLD);
    expect(older.state).toBe('stopped');
    expect(older.codes).toEqual([]);
    expect(older.warnings).toContain('browser-too-old');
    expect(older.client.pupBrowser?.isConnected()).toBe(false);
    expect(await rejected(older)).toMatchObject(NOTHING_REJECTED);

    const again = bot(156);
    await again.start();
    expect(again.state).toBe('ready');
    expect((await again.client.readLogin())?.note).toBe('mine');
    expect(again.payloads('restore:started')).toEqual([]);
  });

  it('is not even launched where its path says which one it is', async () => {
    await ranWith(156, 'mine');
    const folder = await mkdtemp(join(tmpdir(), 'wwebjs-browser-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const executablePath = join(folder, 'chromium');
    await writeFile(executablePath, '#!/bin/sh\necho "Chromium 148.0.7000.1 built on nothing"\n');
    await chmod(executablePath, 0o755);
    const older = bot(148, { client: { puppeteer: { executablePath } } });
    const { message: _, ...rest } = TOO_OLD;
    await expect(older.start()).rejects.toMatchObject({ ...rest, browser: 'Chromium 148.0.7000.1' });
    expect(older.client.launches).toBe(0);
  });

  it('gets a copy that it can read, and says so', async () => {
    await ranWith(148, 'old');
    await ranWith(156, 'new');
    await stage().clock.advance(DAY_MS);
    const older = bot(148);
    await older.start();
    expect(older.state).toBe('ready');
    expect(older.codes).toEqual([]);
    expect((await older.client.readLogin())?.note).toBe('old');
    expect(older.payloads('restore:completed')).toMatchObject([{ reason: 'browser-too-old' }]);
    const [told] = older.payloads('warning').filter(({ code }) => code === 'browser-too-old');
    expect(told?.message).toContain(older.payloads('restore:completed')[0]?.snapshot.id);
    await older.stop();

    const newer = bot(156);
    await newer.start();
    expect(newer.state).toBe('ready');
  });

  it('gets none that is older than maxRollbackMs', async () => {
    await ranWith(148, 'old');
    await stage().clock.advance(2 * DAY_MS);
    await ranWith(156, 'new');
    const older = bot(148, { session: { maxRollbackMs: DAY_MS } });
    await expect(older.start()).rejects.toMatchObject(TOO_OLD);
    expect(older.payloads('restore:started')).toEqual([]);
  });

  it('that meets a QR with the older copy shows none, and the newer browser takes up what was passed over', async () => {
    await ranWith(148, 'old');
    await ranWith(156, 'new');
    const accepts = stage().whatsApp.accepts.bind(stage().whatsApp);
    stage().whatsApp.accepts = (login) => login.note !== 'old' && accepts(login);
    for (let start = 0; start < 2; start++) {
      const older = bot(148);
      await expect(older.start()).rejects.toMatchObject({ code: 'BROWSER_TOO_OLD' });
      expect(older.codes).toEqual([]);
      expect(await rejected(older)).toMatchObject({ rejectedLineages: [] });
    }
    const newer = bot(156);
    await newer.start();
    expect(newer.state).toBe('ready');
    expect(newer.codes).toEqual([]);
    expect((await newer.client.readLogin())?.note).toBe('new');
  });

  it('shows no QR where the profile is gone and the snapshots are of the newer one', async () => {
    await ranWith(156, 'new');
    await stage().remove('/bot/auth');
    for (let start = 0; start < 2; start++) {
      const older = bot(148);
      await expect(older.start()).rejects.toMatchObject({ code: 'BROWSER_TOO_OLD' });
      expect(older.codes).toEqual([]);
    }
    const newer = bot(156);
    await newer.start();
    expect(newer.state).toBe('ready');
  });

  it('that comes after an update gone wrong, between two starts of a run, ends the run', async () => {
    const one = bot(156, { session: { maxReconnectAttempts: 5 } });
    await one.logIn();
    one.client.chromium = 148;
    one.client.pupBrowser?.kill();
    await one.untilState('stopped');
    expect(one.codes).toHaveLength(1); // of the pairing
    expect(one.warnings).toContain('browser-too-old');
    one.client.chromium = 156;
    await one.start();
    expect(one.state).toBe('ready');
  });

  it('is given no snapshot that it would wipe by restore(id), and runs on', async () => {
    await ranWith(148, 'old');
    const newer = await ranWith(156, 'new');
    const [newest] = await newer.session.listSnapshots();
    const older = bot(148);
    await older.start();
    await expect(older.finish(older.session.restore(newest?.id))).rejects.toMatchObject(TOO_OLD);
    expect(older.state).toBe('ready');
    expect(older.states).not.toContain('stopping');
    await older.stop();
    await expect(older.finish(older.session.restore(newest?.id))).rejects.toMatchObject(TOO_OLD);
    expect((await older.client.readLogin())?.note).toBe('old');
  });

  it('counts by what the database says, not by who was there last', async () => {
    const { client } = await ranWith(148, 'old');
    client.chromium = 156;
    await client.writeLogin({ credential: 'credential-1', note: 'without this library' });
    await stage().clock.advance(1000);
    const older = bot(148, { session: { maxRollbackMs: 1 } });
    await expect(older.start()).rejects.toMatchObject({ code: 'BROWSER_TOO_OLD' });
  });

  it('is nothing to speak of where both read the same', async () => {
    await ranWith(156, 'mine');
    const older = bot(150);
    await older.start();
    expect(older.state).toBe('ready');
    expect(older.warnings.filter((code) => code.startsWith('browser'))).toEqual([]);
  });

  it('that rejects what a newer one wrote, although it reads it, rejects it for this time only', async () => {
    await ranWith(156, 'mine');
    const accepts = stage().whatsApp.accepts.bind(stage().whatsApp);
    stage().whatsApp.accepts = () => false;
    const older = bot(150);
    await older.start();
    expect(older.state).toBe('awaiting_qr');
    expect(await rejected(older)).toMatchObject(NOTHING_REJECTED);
    await older.stop();
    stage().whatsApp.accepts = accepts;
    const newer = bot(156);
    await newer.start();
    expect(newer.state).toBe('ready');
  });

  it('can not be told where the browser does not say what it is: it starts, with a warning', async () => {
    await ranWith(156, 'mine');
    const unknown = bot(undefined);
    await unknown.start();
    expect(unknown.state).toBe('ready');
    expect(unknown.warnings).toContain('browser-version-unknown');
  });

  it('is told by snapshots, which say by whom and in which data version they were written', async () => {
    const one = await ranWith(156, 'mine');
    const [snapshot] = await one.session.listSnapshots();
    const path = `/bot/session/store/shop/snapshots/${snapshot?.id}.json`;
    const manifest = JSON.parse(String(await stage().fs.promises.readFile(path, 'utf8'))) as unknown;
    expect(manifest).toMatchObject({ browserVersion: 'Chrome/156.0.7000.1', dataVersion: '0.16.21' });
  });
});

describe('a profile at another place than where its browser would look', () => {
  const stage = useFakeStage();

  it.each(['IdbSqliteBackingStore', 'DomStorageSqlite'])(
    '%s: is refused, and the argument named',
    async (feature) => {
      await stage().loggedInOnce();
      const args = [`--enable-features=Other,${feature}`];
      const bot = stage().bot({ client: { puppeteer: { args } }, session: BY_HAND });
      await expect(bot.start()).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringContaining(feature),
      });
      expect(bot.client.launches).toBe(0);
      expect(bot.codes).toEqual([]);
    },
  );

  it('is fresh: any is as good as another', async () => {
    const args = ['--enable-features=IdbSqliteBackingStore'];
    const bot = stage().bot({ client: { puppeteer: { args } }, session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('awaiting_qr');
  });
});
