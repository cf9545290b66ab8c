import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ANNA, BEN } from '../support/accounts.js';
import type { FakeBot, FakeBotOptions } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('two accounts in one folder', () => {
  const stage = useFakeStage();

  /** A bot as published ones are written: a folder for each account, and nothing else of its own. */
  function botOf(dataPath: string, options: FakeBotOptions = {}): FakeBot {
    const { client, session } = options;
    return stage().bot({
      ...options,
      client: { localAuth: { dataPath }, ...client },
      session: { sessionPath: '/bot/session', backupPath: '/bot/backup', ...session },
    });
  }

  const withId = (dataPath: string): FakeBotOptions => ({
    client: { localAuth: { dataPath, clientId: 'bot' } },
  });

  it('a dataPath of its own gives every account an id of its own', async () => {
    const anna = botOf('/bot/sessions/anna');
    await anna.logIn(ANNA);
    await anna.stop();
    const ben = botOf('/bot/sessions/ben');
    await ben.start();
    expect(ben.state).toBe('awaiting_qr');
    expect(ben.payloads('restore:started')).toEqual([]);
    await ben.client.scan(BEN);
    await ben.untilState('ready');
    await ben.stop();
    expect(anna.session.options.clientId).not.toBe(ben.session.options.clientId);

    // A redeploy: everything but the stores is gone. Each gets its own login back.
    await stage().remove('/bot/sessions');
    for (const [account, folder] of [
      [BEN, 'ben'],
      [ANNA, 'anna'],
    ] as const) {
      const again = botOf(`/bot/sessions/${folder}`);
      await again.start();
      expect(again.state).toBe('ready');
      expect(again.codes).toEqual([]);
      expect(again.client.info?.wid._serialized).toBe(account);
      await again.stop();
    }
  });

  it('both run at once', async () => {
    const anna = botOf('/bot/sessions/anna');
    const ben = botOf('/bot/sessions/ben');
    await anna.logIn(ANNA);
    await ben.logIn(BEN);
    expect([anna.state, ben.state]).toEqual(['ready', 'ready']);
    expect(ben.client.info?.wid._serialized).toBe(BEN);
  });

  it('one clientId over two dataPaths: the second is refused while the first profile is there', async () => {
    const anna = botOf('/bot/sessions/anna', withId('/bot/sessions/anna'));
    await anna.logIn(ANNA);
    await anna.stop();
    const ben = botOf('/bot/sessions/ben', withId('/bot/sessions/ben'));
    const [newest] = await anna.session.listSnapshots();
    await expect(ben.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/sessions\/anna\/session-bot.*clientId of its own.*restore\('.+'\)/s),
    });
    await expect(ben.start()).rejects.toMatchObject({ message: expect.stringContaining(newest?.id ?? '-') });
    expect(ben.state).toBe('stopped');
    expect(ben.codes).toEqual([]);
    // Nothing of the first account was touched.
    const again = botOf('/bot/sessions/anna', withId('/bot/sessions/anna'));
    await again.start();
    expect(again.client.info?.wid._serialized).toBe(ANNA);
  });

  it('is refused as well with a login of its own that nobody has saved yet', async () => {
    const plain = stage().bot({
      ...withId('/bot/sessions/ben'),
      session: { sessionPath: '/elsewhere/session', backupPath: '/elsewhere/backup' },
    });
    await plain.logIn(BEN);
    await plain.stop();
    await stage().remove('/bot/sessions/ben/.session-bot.persistent');
    const anna = botOf('/bot/sessions/anna', withId('/bot/sessions/anna'));
    await anna.logIn(ANNA);
    await anna.stop();
    const ben = botOf('/bot/sessions/ben', withId('/bot/sessions/ben'));
    await expect(ben.start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('where the first profile is gone: nothing is restored unasked, and the way back is named', async () => {
    const anna = botOf('/bot/sessions/anna', withId('/bot/sessions/anna'));
    await anna.logIn(ANNA);
    await anna.stop();
    await stage().remove('/bot/sessions/anna');
    const ben = botOf('/bot/sessions/ben', withId('/bot/sessions/ben'));
    await ben.start();
    expect(ben.state).toBe('awaiting_qr');
    expect(ben.payloads('restore:started')).toEqual([]);
    const [newest] = await anna.session.listSnapshots();
    expect(ben.payloads('warning')).toContainEqual({
      code: 'other-profile',
      message: expect.stringMatching(
        new RegExp(`sessions/anna/session-bot.*restore\\('${newest?.id}'\\)`, 's'),
      ),
    });
    await expect(ben.finish(ben.session.restore())).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });

    // It was the same bot after all: asked for by name, it comes back, and is its own from then on.
    await ben.finish(ben.session.restore(newest?.id));
    await ben.untilState('ready');
    expect(ben.client.info?.wid._serialized).toBe(ANNA);
    await ben.stop();
    await stage().remove('/bot/sessions');
    const again = botOf('/bot/sessions/ben', withId('/bot/sessions/ben'));
    await again.start();
    expect(again.state).toBe('ready');
    expect(again.codes).toEqual([]);
  });

  it('clear() of the second never deletes the snapshots of the first', async () => {
    const anna = botOf('/bot/sessions/anna', withId('/bot/sessions/anna'));
    await anna.logIn(ANNA);
    await anna.stop();
    const kept = (await anna.session.listSnapshots()).map(({ id }) => id);
    const ben = botOf('/bot/sessions/ben', withId('/bot/sessions/ben'));
    await expect(ben.finish(ben.session.clear())).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('/bot/sessions/anna/session-bot'),
    });
    expect((await anna.session.listSnapshots()).map(({ id }) => id)).toEqual(kept);
    await anna.finish(anna.session.clear());
    expect(await anna.session.listSnapshots()).toEqual([]);
  });

  it('restore() without an id says which ones there are for another profile', async () => {
    const anna = botOf('/bot/sessions/anna', withId('/bot/sessions/anna'));
    await anna.logIn(ANNA);
    await anna.stop();
    const ben = botOf('/bot/sessions/ben', withId('/bot/sessions/ben'));
    await expect(ben.finish(ben.session.restore())).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringMatching(/made for another profile.*sessions\/anna/s),
    });
  });

  it('a LocalAuth and a NoAuth bot that both have no id do not get one login', async () => {
    const named = { clientId: 'shop' };
    const anna = stage().bot({ auth: 'none', session: named });
    await anna.logIn(ANNA);
    await anna.stop();
    const ben = botOf('/bot/auth', { session: named });
    await expect(ben.start()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});

describe('two bots that share a place of backups', () => {
  const stage = useFakeStage();
  afterEach(() => vi.restoreAllMocks());

  /** A folder for each bot, the same below it: the same relative path, and the same id. */
  function botOf(user: string, root = '/srv'): FakeBot {
    vi.spyOn(process, 'cwd').mockReturnValue(`${root}/${user}`);
    return stage().bot({
      client: { localAuth: { dataPath: `${root}/${user}/.wwebjs_auth`, clientId: 'bot' } },
      session: { sessionPath: `${root}/${user}/persistent-session`, backupPath: '/mnt/backup' },
    });
  }

  /** Both set up at the same time, so that neither meets the other's copies at its first start. */
  async function bothBackedUp(): Promise<{ anna: FakeBot; ben: FakeBot }> {
    const anna = botOf('anna');
    const ben = botOf('ben');
    await anna.start();
    await ben.start();
    await anna.client.scan(ANNA);
    await anna.untilState('ready');
    await ben.client.scan(BEN);
    await ben.untilState('ready');
    await stage().clock.advance(100_000);
    await anna.backUp('of Anna');
    await ben.backUp('of Ben');
    await anna.stop();
    await ben.stop();
    return { anna, ben };
  }

  it('each gets its own login back when the disk of both is lost', async () => {
    await bothBackedUp();
    await stage().remove('/srv');
    for (const [user, account] of [
      ['anna', ANNA],
      ['ben', BEN],
    ] as const) {
      const again = botOf(user);
      await again.start();
      expect(again.state).toBe('ready');
      expect(again.client.info?.wid._serialized).toBe(account);
      await again.stop();
    }
  });

  it('nothing is restored at a new place, where two logins could be meant', async () => {
    await bothBackedUp();
    await stage().remove('/srv');
    const again = botOf('anna', '/opt');
    await again.start();
    expect(again.state).toBe('awaiting_qr');
    expect(again.warnings).toContain('other-profile');
  });

  it('a newer copy of the other one is not taken where only the profile is lost', async () => {
    const { anna } = await bothBackedUp();
    await stage().remove('/srv/ben');
    await stage().remove(anna.client.profileDir);
    const again = botOf('anna');
    await again.start();
    expect(again.client.info?.wid._serialized).toBe(ANNA);
  });

  it('clear() of one leaves the copies of the other, also where that one is on another machine', async () => {
    const { anna } = await bothBackedUp();
    await stage().remove('/srv/ben');
    await anna.finish(anna.session.clear());
    const left = await anna.session.listSnapshots();
    expect(left.length).toBeGreaterThan(0);
    expect(new Set(left.map(({ profile }) => profile?.path))).toEqual(
      new Set(['/srv/ben/.wwebjs_auth/session-bot']),
    );
  });
});

describe('a disk of the profile that is set back to before a pairing', () => {
  const stage = useFakeStage();

  it('does not cost the login that was made since: its copies are taken', async () => {
    const first = stage().bot();
    await first.logIn(ANNA);
    await first.stop();
    const image = await stage().copyTree('/bot/auth');
    const second = stage().bot();
    await second.start();
    await second.client.logOutByPhone();
    await second.untilState('awaiting_qr');
    await second.client.scan(BEN);
    await second.untilState('ready');
    await second.stop();
    await stage().remove('/bot/auth');
    await image.putAt('/bot/auth');
    const again = stage().bot();
    await again.start();
    expect(again.state).toBe('ready');
    expect(again.client.info?.wid._serialized).toBe(BEN);
    expect(again.payloads('restore:completed')).toMatchObject([{ reason: 'newer-snapshot' }]);
  });
});

describe('two bots that have neither a LocalAuth nor a client id', () => {
  const stage = useFakeStage();
  const before = process.argv[1];

  afterEach(() => {
    process.argv[1] = before ?? '';
  });

  beforeEach(async () => {
    await stage().fs.promises.mkdir('/bot/dist', { recursive: true });
    for (const name of ['anna.js', 'ben.js', 'renamed.js', 'dist/anna.js']) {
      await stage().fs.promises.writeFile(`/bot/${name}`, '');
    }
  });

  /** A bot that `node <script>` has started. */
  function started(script: string, session: FakeBotOptions['session'] = {}): FakeBot {
    process.argv[1] = script;
    return stage().bot({ auth: 'unnamed', session });
  }

  it('do not get one login in one folder', async () => {
    const anna = started('/bot/anna.js');
    await anna.logIn(ANNA);
    await anna.stop();
    const ben = started('/bot/ben.js');
    await expect(ben.start()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/anna\.js.*clientId/s),
    });
    expect(ben.client.launches).toBe(0);
  });

  it.each([
    ['built into another folder', '/bot/dist/anna.js', undefined],
    ['named without its ending', '/bot/anna', undefined],
    ['named by its folder', '/bot', undefined],
    ['renamed: the old one is gone', '/bot/renamed.js', '/bot/anna.js'],
  ])('are one where the script was %s', async (_what, script, gone) => {
    const first = started('/bot/anna.js');
    await first.logIn(ANNA);
    await first.stop();
    if (gone !== undefined) await stage().remove(gone);
    const second = started(script);
    await second.start();
    expect(second.state).toBe('ready');
  });

  it('are one where the same script runs again, or where the id was chosen', async () => {
    const anna = started('/bot/anna.js');
    await anna.logIn(ANNA);
    await anna.stop();
    const again = started('/bot/anna.js');
    await again.start();
    expect(again.state).toBe('ready');
    await again.stop();
    const renamed = started('/bot/renamed.js', { clientId: anna.session.options.clientId });
    await renamed.start();
    expect(renamed.state).toBe('ready');
    await renamed.stop();
    const later = started('/bot/renamed.js');
    await later.start();
    expect(later.state).toBe('ready');
  });
});

describe('the same account elsewhere', () => {
  const stage = useFakeStage();

  const at = (dataPath: string): FakeBotOptions => ({
    client: { localAuth: { dataPath, clientId: 'bot' } },
    session: { sessionPath: '/data/session', backupPath: '/data/backup' },
  });

  it('a profile that was moved with what lies beside it goes on', async () => {
    const before = stage().bot(at('/old/auth'));
    await before.logIn(ANNA);
    await before.stop();
    await stage().fs.promises.mkdir('/new', { recursive: true });
    await stage().fs.promises.rename('/old/auth', '/new/auth');
    const after = stage().bot(at('/new/auth'));
    await after.start();
    expect(after.state).toBe('ready');
    await after.stop();
    // It was saved for its new place: the disk may go now.
    await stage().remove('/new');
    const again = stage().bot(at('/new/auth'));
    await again.start();
    expect(again.state).toBe('ready');
    expect(again.codes).toEqual([]);
  });

  it('a damaged profile that was moved is restored', async () => {
    const before = stage().bot(at('/old/auth'));
    await before.logIn(ANNA);
    await before.stop();
    await stage().fs.promises.mkdir('/new', { recursive: true });
    await stage().fs.promises.rename('/old/auth', '/new/auth');
    const after = stage().bot(at('/new/auth'));
    await stage().fs.promises.rm('/new/auth/session-bot/Default/Local Storage', { recursive: true });
    await after.start();
    expect(after.state).toBe('ready');
    expect(after.payloads('restore:completed')).toHaveLength(1);
    expect(after.codes).toEqual([]);
  });

  describe('below the working directory', () => {
    afterEach(() => vi.restoreAllMocks());

    /** A bot that runs in `folder`, as its own process would. */
    function botIn(folder: string): FakeBot {
      vi.spyOn(process, 'cwd').mockReturnValue(folder);
      return stage().bot(at(`${folder}/auth`));
    }

    it('a redeploy to another folder, with the disk gone, gets its login back and says from where', async () => {
      const before = botIn('/release/1');
      await before.logIn(ANNA);
      await before.stop();
      await stage().remove('/release/1');
      const after = botIn('/release/2');
      await after.start();
      expect(after.state).toBe('ready');
      expect(after.codes).toEqual([]);
      const [snapshot] = await before.session.listSnapshots();
      expect(snapshot?.profile).toEqual({
        path: '/release/1/auth/session-bot',
        relativePath: 'auth/session-bot',
      });
      expect(after.payloads('warning')).toContainEqual({
        code: 'profile-moved',
        message: expect.stringContaining('/release/1/auth/session-bot'),
      });
    });

    it('a copy of the bot in a second folder does not get the login of the first', async () => {
      const first = botIn('/bots/1');
      await first.logIn(ANNA);
      await first.stop();
      const second = botIn('/bots/2');
      await expect(second.start()).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringContaining('/bots/1/auth/session-bot'),
      });
      expect(second.payloads('restore:started')).toEqual([]);
    });
  });
});
