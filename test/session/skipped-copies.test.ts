import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/index.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const QUIET = { healthCheckIntervalMs: 0, forceSaveIntervalMs: 0, backupIntervalMs: 0 };
const PATH = '/mnt/nas/shop/backup.zip';

/** A store whose writes fail by what is given to `failBy`. */
class IllStore extends MemoryStore {
  failBy: Error | undefined;

  constructor(name: string) {
    super({ name });
  }

  override async put(...args: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
    if (this.failBy !== undefined) throw this.failBy;
    return super.put(...args);
  }
}

function diskFull(): Error {
  const words = `ENOSPC: no space left on device, write '${PATH}'`;
  return Object.assign(new Error(words), { code: 'ENOSPC', syscall: 'write', path: PATH });
}

describe('a copy that was not taken', () => {
  const stage = useFakeStage();

  async function withStores(...stores: readonly IllStore[]): Promise<FakeBot> {
    const bot = stage().bot({ session: { ...QUIET, backupStore: stores } });
    await bot.logIn();
    await bot.note('something new');
    return bot;
  }

  async function issue(bot: FakeBot, code: string) {
    const { issues, recommendations } = await bot.finish(bot.session.checkHealth());
    return {
      message: issues.find((one) => one.code === code)?.message,
      advice: recommendations.find((one) => one.code === code)?.text,
    };
  }

  it('names the store that is full, without the path of its disk', async () => {
    const [good, nas] = [new IllStore('good'), new IllStore('my-nas')];
    const bot = await withStores(good, nas);
    await bot.finish(bot.session.backup());
    await bot.note('more');
    nas.failBy = diskFull();
    expect(await bot.finish(bot.session.backup())).toEqual({ skipped: 'no-space' });
    const error = { code: 'ENOSPC', message: 'the system answered ENOSPC to write' };
    expect(bot.payloads('backup:skipped')).toEqual([{ reason: 'no-space', error, stores: ['my-nas'] }]);
    expect(bot.session.status().lastBackupError).toEqual({
      code: 'no-space',
      message: 'there is no room for a copy in my-nas (the system answered ENOSPC to write)',
      at: expect.any(String),
    });
    const { message, advice } = await issue(bot, 'backup-failed');
    expect(message?.en).toContain('my-nas');
    expect(message?.ar).toContain('my-nas');
    expect(advice?.en).toContain('Make room in my-nas');
    expect(advice?.ar).toContain('my-nas');
  });

  it('names the profile’s own disk by no store', async () => {
    const bot = stage().bot({ session: QUIET });
    await bot.logIn();
    await bot.note('more');
    stage().fs.arm({ operation: 'handle.write', path: '/staging/', failOn: 1, errno: 'ENOSPC' });
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'no-space' });
    const [skipped] = bot.payloads('save:skipped');
    expect(skipped?.stores).toBeUndefined();
    expect(skipped?.error?.code).toBe('ENOSPC');
    expect(bot.session.status().lastSaveError?.message).toContain('where the profile lies');
  });

  it('names the file of a profile that is not whole', async () => {
    const bot = stage().bot({ session: QUIET });
    await bot.logIn();
    await stage().damageProfile(bot);
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    const [skipped] = bot.payloads('save:skipped');
    expect(skipped?.error?.message).toContain('MANIFEST-000001');
    expect(skipped?.error?.message).not.toContain(bot.client.profileDir);
    expect(bot.session.status().lastSaveError?.message).toContain('MANIFEST-000001');
  });

  it('says what is missing in a profile that has lost its login', async () => {
    const bot = stage().bot({ session: QUIET });
    await bot.logIn();
    await stage().remove(join(bot.client.profileDir, INDEXED_DB));
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    expect(bot.payloads('save:skipped')[0]?.error?.message).toContain('IndexedDB');
  });

  it('names every store that failed, each with its reason', async () => {
    const [good, full, closed] = [new IllStore('good'), new IllStore('my-nas'), new IllStore('bucket')];
    const bot = await withStores(good, full, closed);
    full.failBy = diskFull();
    closed.failBy = new StoreError('AccessDenied: the key may not write');
    await expect(bot.finish(bot.session.backup())).rejects.toThrow('AccessDenied');
    const [failed] = bot.payloads('backup:failed');
    expect(failed?.stores).toEqual(['my-nas', 'bucket']);
    expect(failed?.error.message).toContain('bucket: AccessDenied: the key may not write');
    expect(failed?.error.message).toContain('my-nas');
    const { message } = await issue(bot, 'backup-failed');
    for (const words of ['my-nas', 'bucket: AccessDenied']) expect(message?.en).toContain(words);
  });

  it('tells no reason twice where there is none: an unchanged profile', async () => {
    const bot = await withStores(new IllStore('good'));
    await bot.finish(bot.session.backup());
    await bot.finish(bot.session.backup());
    expect(bot.payloads('backup:skipped')).toEqual([{ reason: 'unchanged' }]);
  });
});
