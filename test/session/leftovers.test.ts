import { describe, expect, it } from 'vitest';
import { useFakeStage } from '../support/fake-stage.js';

describe('a start after a kill', () => {
  const stage = useFakeStage();

  it('removes what the killed process left in the stores and in its staging folders', async () => {
    const bot = await stage().loggedInOnce();
    const left = [
      '/bot/session/store/shop/.tmp-beef-1-00ff',
      '/bot/session/staging/shop/00ff.zip.partial',
      '/bot/auth/.session-shop.persistent/staging/half/Default/x',
    ];
    for (const path of left) {
      await stage().fs.promises.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
      await stage().fs.promises.writeFile(path, 'half');
      await stage().fs.promises.utimes(path, 0, 0);
    }
    await bot.start();
    for (const path of left) expect(await stage().exists(path), path).toBe(false);
    expect(bot.warnings).not.toContain('cleanup-failed');
  });

  it('says so when that fails, and starts all the same', async () => {
    const bot = await stage().loggedInOnce();
    await stage().fs.promises.mkdir('/bot/session/staging/shop', { recursive: true });
    await stage().fs.promises.writeFile('/bot/session/staging/shop/00ff.zip.partial', 'half');
    stage().fs.arm({ operation: 'rm', path: '00ff.zip.partial', failOn: 1 });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.warnings).toContain('cleanup-failed');
  });
});

describe('restore(id) while a store is down', () => {
  const stage = useFakeStage();

  it('tells that the store is down, not that there is no such snapshot', async () => {
    const bot = await stage().loggedInOnce();
    await bot.start();
    await bot.backUp('a backup that can be listed');
    const [save] = (await bot.session.listSnapshots()).filter(({ kind }) => kind === 'save');
    stage().fs.arm({ operation: 'lstat', path: 'store/shop/snapshots', failOn: 1 });
    await expect(bot.finish(bot.session.restore(save?.id))).rejects.toMatchObject({
      code: 'STORE',
      cause: { code: 'EIO' },
    });
  });
});
