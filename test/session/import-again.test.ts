import { describe, expect, it } from 'vitest';
import { type FakeLogin, writeFakeProfile } from '../../src/testing/fake-profile.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { zipOf } from '../support/old-sessions.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const FOLDER = '/old/.wwebjs_auth/RemoteAuth-shop';
const ZIP = `${FOLDER}.zip`;

/** The documented lines, left in the bot: `extract()`, `importSession()`, `initialize()` at every start. */
describe('importSession() of what was taken over before', () => {
  const stage = useFakeStage();

  async function oldSession(note = 'from the old bot'): Promise<FakeLogin> {
    const login = { ...stage().whatsApp.pair('4915100000001@c.us'), note };
    await writeFakeProfile(stage().fs, FOLDER, login);
    await extract();
    return login;
  }

  /** What a store's `extract()` does: the zip is written anew. */
  async function extract(): Promise<void> {
    await stage().fs.promises.writeFile(ZIP, await zipOf(stage().fs, FOLDER));
    const now = new Date(stage().clock.now());
    await stage().fs.promises.utimes(ZIP, now, now);
  }

  const newBot = () => stage().bot({ auth: 'none', session: BY_HAND });
  const noteIn = async (bot: FakeBot) => (await bot.client.readLogin())?.note;

  async function startWithTheLine(from = ZIP): Promise<FakeBot> {
    const bot = newBot();
    await bot.finish(bot.session.importSession(from));
    await bot.start();
    return bot;
  }

  async function nothingWasDone(bot: FakeBot): Promise<void> {
    expect(bot.payloads('session:imported')).toEqual([]);
    expect(bot.payloads('restore:started')).toEqual([]);
    expect(bot.payloads('session:quarantined')).toEqual([]);
    expect(bot.payloads('warning')).toContainEqual({
      code: 'import-skipped',
      message: expect.stringMatching(/RemoteAuth-shop.*already imported.*force: true/),
    });
  }

  it.each([FOLDER, ZIP])(
    'at the second start changes nothing, and the newer login goes on: %s',
    async (from) => {
      await oldSession();
      const first = await startWithTheLine(from);
      await first.note('newer');
      await first.stop();
      for (let round = 0; round < 2; round++) {
        await stage().clock.advance(60_000);
        await extract();
        const next = newBot();
        const answer = await next.finish(next.session.importSession(from));
        const [imported] = first.payloads('session:imported');
        expect(answer.id).toBe(imported?.snapshot.id);
        await next.start();
        expect(next.state).toBe('ready');
        expect(await noteIn(next)).toBe('newer');
        await nothingWasDone(next);
        await next.stop();
      }
    },
  );

  it('does not stop a session that runs', async () => {
    await oldSession();
    const bot = await startWithTheLine();
    await bot.note('newer');
    await bot.finish(bot.session.importSession(ZIP));
    expect(bot.client.launches).toBe(1);
    expect(bot.states.filter((state) => state === 'stopped')).toEqual([]);
    expect(await noteIn(bot)).toBe('newer');
  });

  it('after a logout and a new scan, does not bring the old login back', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.client.logOutByPhone();
    await first.untilState('awaiting_qr');
    await first.client.scan();
    await first.untilState('ready');
    await first.note('scanned');
    await first.stop();
    await extract();
    const next = await startWithTheLine();
    expect(next.state).toBe('ready');
    expect(next.codes).toEqual([]);
    expect(await noteIn(next)).toBe('scanned');
    await nothingWasDone(next);
  });

  it('after a logout and a new scan, with the record and the note lost and the snapshot of the import gone', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.client.logOutByPhone();
    await first.untilState('awaiting_qr');
    await first.client.scan();
    await first.untilState('ready');
    await first.save('scanned');
    await first.stop();
    for (const { id, revoked } of await first.session.listSnapshots()) {
      if (revoked) await stage().remove(`/bot/session/store/shop/snapshots/${id}.json`);
    }
    await stage().remove('/bot/session/profile');
    await stage().remove(`${ZIP}.moved.json`);
    await extract();
    const next = await startWithTheLine();
    expect(next.state).toBe('ready');
    expect(await noteIn(next)).toBe('scanned');
    expect(next.payloads('session:imported')).toEqual([]);
  });

  it('after a logout that nobody answered yet, shows the QR of a new login', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.client.logOutByPhone();
    await first.untilState('awaiting_qr');
    await first.stop();
    await extract();
    const next = await startWithTheLine();
    expect(next.state).toBe('awaiting_qr');
    await nothingWasDone(next);
  });

  it('with everything beside the profile and the old session lost, goes by what the stores know', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.save('newer');
    await first.stop();
    await stage().remove('/bot/session/profile');
    await stage().remove(`${ZIP}.moved.json`);
    await extract();
    const next = newBot();
    const answer = await next.finish(next.session.importSession(ZIP));
    expect(answer.run).toBe(0);
    await next.start();
    expect(next.state).toBe('ready');
    expect(await noteIn(next)).toBe('newer');
    expect(next.payloads('session:imported')).toEqual([]);
  });

  it('from another place, is known by what it holds, also when its snapshot is gone', async () => {
    await oldSession();
    const first = await startWithTheLine();
    const { id, lineage } = first.payloads('session:imported')[0]?.snapshot ?? { id: '' };
    const newer = await first.save('newer');
    await first.stop();
    await stage().remove(`/bot/session/store/shop/snapshots/${id}.json`);
    await stage().fs.promises.rename(ZIP, '/old/elsewhere.zip');
    const next = newBot();
    const answer = await next.finish(next.session.importSession('/old/elsewhere.zip'));
    expect(answer.lineage).toBe(lineage);
    expect(answer.id >= newer.id).toBe(true);
    await next.start();
    expect(await noteIn(next)).toBe('newer');
  });

  it('with the stores lost and the profile kept, keeps the profile, and answers with a save of it', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.note('newer');
    await first.stop();
    await stage().remove('/bot/session/store');
    await stage().remove('/bot/backup');
    const next = newBot();
    const answer = await next.finish(next.session.importSession(ZIP));
    expect(await next.session.listSnapshots()).toMatchObject([{ id: answer.id, capture: 'cold' }]);
    await next.start();
    expect(await noteIn(next)).toBe('newer');
  });

  it('that has changed since is not taken in place of a login', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.note('newer');
    await first.stop();
    await writeFakeProfile(stage().fs, FOLDER, {
      ...stage().whatsApp.pair('4915100000001@c.us'),
      note: 'changed',
    });
    await extract();
    const next = await startWithTheLine();
    expect(await noteIn(next)).toBe('newer');
    await nothingWasDone(next);
  });

  it('that has changed since is taken where the bot has no login any more', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.client.logOutByPhone();
    await first.untilState('awaiting_qr');
    await first.stop();
    await writeFakeProfile(stage().fs, FOLDER, {
      ...stage().whatsApp.pair('4915100000001@c.us'),
      note: 'changed',
    });
    await extract();
    const next = await startWithTheLine();
    expect(next.state).toBe('ready');
    expect(await noteIn(next)).toBe('changed');
  });

  it('is taken with { force: true }, and the login in place goes to quarantine', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.note('newer');
    await first.stop();
    const next = newBot();
    const answer = await next.finish(next.session.importSession(ZIP, { force: true }));
    expect(next.payloads('session:imported')).toMatchObject([{ snapshot: { id: answer.id } }]);
    expect(next.payloads('session:quarantined')).toHaveLength(1);
    expect(await noteIn(next)).toBe('from the old bot');
  });

  it('is taken after a clear(): nothing is known any more', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.finish(first.session.clear());
    const next = await startWithTheLine();
    expect(next.state).toBe('ready');
    expect(await noteIn(next)).toBe('from the old bot');
  });

  it('is taken where nothing is left but the note beside it: an image that is deployed anew', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.stop();
    await stage().remove('/bot');
    const next = await startWithTheLine();
    expect(next.state).toBe('ready');
  });

  it('by a bot with another client id is taken: each has its own login', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.stop();
    const other = stage().bot({ auth: 'none', session: { ...BY_HAND, clientId: 'other' } });
    await other.finish(other.session.importSession(ZIP));
    expect(other.payloads('session:imported')).toHaveLength(1);
  });

  it('is known by its snapshot where an import was cut short before it could be noted', async () => {
    await oldSession();
    const first = newBot();
    first.session.on('restore:completed', () =>
      stage().fs.arm({ path: /imported|moved\.json|session\.json/, failOn: 1, times: 1000 }),
    );
    await first.finish(first.session.importSession(ZIP)).catch(() => undefined);
    stage().fs.arm({});
    await first.start();
    await first.note('newer');
    await first.stop();
    const next = await startWithTheLine();
    expect(await noteIn(next)).toBe('newer');
  });

  it('is refused without anything done when no store can say', async () => {
    await oldSession();
    const first = await startWithTheLine();
    await first.note('newer');
    await first.stop();
    stage().fs.arm({ path: /\/bot\/(session\/store|backup)/, failOn: 1, times: 1000 });
    const next = newBot();
    await expect(next.finish(next.session.importSession(ZIP))).rejects.toMatchObject({ code: 'STORE' });
    stage().fs.arm({});
    await next.start();
    expect(await noteIn(next)).toBe('newer');
  });

  it.each([
    ['yes', /"yes" is given/],
    [null, /null is given/],
    [{ force: 1 }, /force is 1/],
    [{ overwrite: true }, /"overwrite" is unknown/],
  ])('refuses the options %j', async (options, message) => {
    await oldSession();
    const bot = newBot();
    const error = await bot
      .finish(bot.session.importSession(ZIP, options as never))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CONFIGURATION', operation: 'importSession' });
    expect(String(error)).toMatch(message);
  });
});
