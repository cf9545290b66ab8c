import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const FOLLOW = '/bot/auth/.session-shop.persistent/follow';
const FOR_EVER = Number.POSITIVE_INFINITY;

describe('the database that the saves of a session follow', () => {
  const stage = useFakeStage();
  const kept = () => stage().filesBelow(FOLLOW);

  async function saved(): Promise<FakeBot> {
    const bot = stage().bot();
    await bot.logIn();
    await bot.save('the first one');
    return bot;
  }

  it('is kept beside the profile from the first save on, with links to the logs of the browser', async () => {
    const bot = await saved();
    const files = await kept();
    expect(files.map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual([
      '000003.log',
      'CURRENT',
      'MANIFEST-000001',
    ]);
    const inodeOf = async (path: string) => (await stage().fs.promises.lstat(path)).ino;
    expect(await inodeOf(files[0] ?? '')).toBe(
      await inodeOf(join(bot.client.profileDir, INDEXED_DB, '000003.log')),
    );
  });

  it('stays the same for the next save, which restores to what was written last', async () => {
    const bot = await saved();
    const before = await kept();
    await bot.save('the second one');
    const { id } = await bot.save('the third one');
    expect(await kept()).toEqual(before);
    await bot.note('never saved');
    await bot.finish(bot.session.restore(id));
    expect((await bot.client.readLogin())?.note).toBe('the third one');
  });

  it('is no reason for a further save by itself', async () => {
    const bot = await saved();
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unchanged' });
  });

  it('is gone when the session ends', async () => {
    const bot = await saved();
    await bot.stop();
    expect(await kept()).toEqual([]);
  });

  it('is gone with clear()', async () => {
    const bot = await saved();
    await bot.finish(bot.session.clear());
    expect(await kept()).toEqual([]);
  });

  it('is another one in a new browser', async () => {
    const bot = await saved();
    const before = await kept();
    await bot.finish(bot.session.reconnect());
    expect((await kept()).filter((path) => before.includes(path))).toEqual([]);
    await bot.save('in the new browser');
    expect(await kept()).toHaveLength(3);
  });

  it('of a killed process is removed by the next start', async () => {
    const bot = await stage().loggedInOnce();
    await stage().fs.promises.mkdir(`${FOLLOW}/old`, { recursive: true });
    await stage().fs.promises.writeFile(`${FOLLOW}/old/000003.log`, 'old');
    await bot.start();
    expect(await stage().exists(`${FOLLOW}/old`)).toBe(false);
  });

  it('is not kept where hard links are refused; saves are taken all the same', async () => {
    const bot = stage().bot();
    await bot.logIn();
    stage().fs.arm({ operation: 'link', path: FOLLOW, errno: 'EPERM', failOn: 1, times: FOR_EVER });
    await bot.save('one');
    await bot.save('two');
    expect(await kept()).toEqual([]);
    expect(bot.warnings).toEqual(['storage']);
  });

  it('is given up when the profile is removed, and nothing is made anew', async () => {
    const bot = await saved();
    await stage().remove('/bot/auth');
    await bot.until('the removal is noticed', () => bot.warnings.includes('profile-removed'));
    await bot.stop();
    expect(await stage().filesBelow('/bot/auth')).toEqual([]);
  });
});
