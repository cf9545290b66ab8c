import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ESSENTIAL_PATHS } from '../../src/profile/essential-files.js';
import { blobEntry } from '../profile/indexed-db-writer.js';
import { writeBatch, writeLog } from '../profile/leveldb-writer.js';
import type { FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const BLOB = `${ESSENTIAL_PATHS.indexedDbBlobs}/1/00/2`;
const GONE = { file: BLOB, problem: 'this large value (blob) is gone, and the database still names it' };

describe('a large value in a file of its own (a blob)', () => {
  const stage = useFakeStage();

  /** What Chromium does with a large value: first the file, then the record that names it. */
  async function writeLargeValue({ client }: FakeBot): Promise<void> {
    const { promises } = stage().fs;
    const blob = join(client.profileDir, BLOB);
    await promises.mkdir(join(blob, '..'), { recursive: true });
    await promises.writeFile(blob, 'a large value');
    const record = writeLog([writeBatch([blobEntry('a record', [{ number: 2 }])], 1)]);
    await append(join(client.profileDir, INDEXED_DB, '000003.log'), record);
  }

  async function append(path: string, more: Uint8Array): Promise<void> {
    const { promises } = stage().fs;
    await promises.writeFile(path, Buffer.concat([await promises.readFile(path), more]));
  }

  async function savedWithLargeValue(): Promise<FakeBot> {
    const bot = stage().bot();
    await bot.logIn();
    await writeLargeValue(bot);
    await bot.save('with a large value');
    return bot;
  }

  const blobOf = ({ client }: FakeBot) => join(client.profileDir, BLOB);

  it('that is gone before a start is a loss: the last snapshot is restored, without a QR', async () => {
    const bot = await savedWithLargeValue();
    await bot.stop();
    await stage().remove(join(bot.client.profileDir, ESSENTIAL_PATHS.indexedDbBlobs));
    const next = stage().bot();
    await next.start();
    expect(next.payloads('corruption:detected')).toMatchObject([{ where: 'profile', findings: [GONE] }]);
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(next.codes).toEqual([]);
    expect(await stage().exists(blobOf(next))).toBe(true);
  });

  it('that is taken away from under the browser is told, and the next start brings it back', async () => {
    const bot = await savedWithLargeValue();
    const [newest] = await bot.finish(bot.session.listSnapshots());
    await stage().remove(blobOf(bot));
    await bot.stop();
    expect(bot.payloads('corruption:detected')).toMatchObject([{ where: 'profile', findings: [GONE] }]);
    expect(await bot.finish(bot.session.listSnapshots())).toEqual([newest]);
    const next = stage().bot();
    await next.start();
    expect(next.payloads('restore:completed')).toMatchObject([{ snapshot: { id: newest?.id } }]);
    expect(await stage().exists(blobOf(next))).toBe(true);
  });

  it('does not keep a login that goes on without it from being saved; an older snapshot has it', async () => {
    const bot = await savedWithLargeValue();
    const [older] = await bot.finish(bot.session.listSnapshots());
    await stage().remove(blobOf(bot));
    await bot.note('later');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
    await bot.save('later still');
    await bot.stop();
    const next = stage().bot();
    await next.start();
    expect(next.payloads('restore:started')).toEqual([]);
    await next.finish(next.session.restore(older?.id ?? ''));
    expect(await stage().exists(blobOf(next))).toBe(true);
  });

  it('that is lost where a restored profile had it is a loss, too: nothing else was saved since', async () => {
    const first = await savedWithLargeValue();
    await first.backUp('with a large value');
    await first.stop();
    const bot = stage().bot({ session: { forceSaveIntervalMs: 0, backupIntervalMs: 0 } });
    for (const folder of ['/bot/auth', '/bot/session']) await stage().remove(folder);
    await bot.start();
    expect(await stage().exists(blobOf(bot))).toBe(true);
    await stage().remove(blobOf(bot));
    await bot.note('later');
    expect(await bot.finish(bot.session.forceSave())).toEqual({ skipped: 'unsound' });
  });

  it('that no snapshot can bring back does not keep the rest from being saved', async () => {
    const bot = await savedWithLargeValue();
    await bot.stop();
    await stage().remove(blobOf(bot));
    for (const file of await stage().filesBelow('/bot/session')) {
      if (file.includes('/objects/')) await stage().remove(file);
    }
    const next = stage().bot();
    await next.start();
    expect(next.warnings).toContain('nothing-to-restore');
    await next.untilState('ready');
    await next.save('without it');
    await next.stop();
    const last = stage().bot();
    await last.start();
    expect(last.payloads('restore:started')).toEqual([]);
  });

  it('that Chromium has dropped with its record is none', async () => {
    const bot = await savedWithLargeValue();
    const [key] = blobEntry('a record', []);
    const record = writeLog([writeBatch([[key]], 10)]);
    await append(join(bot.client.profileDir, INDEXED_DB, '000003.log'), record);
    await stage().remove(blobOf(bot));
    await bot.save('without it');
    await bot.stop();
    const next = stage().bot();
    await next.start();
    expect(next.payloads('restore:started')).toEqual([]);
  });

  it('that was only half there at a save, and is whole at the start after a kill, is no damage', async () => {
    const bot = await savedWithLargeValue();
    const half = join(bot.client.profileDir, `${ESSENTIAL_PATHS.indexedDbBlobs}/1/00/3`);
    await stage().fs.promises.writeFile(half, 'a large');
    const now = stage().clock.now() / 1000;
    await stage().fs.promises.utimes(half, now, now);
    await bot.save('while another one is written');
    await append(half, Buffer.from(' value'));
    bot.client.pupBrowser?.kill();
    await bot.untilState('reconnecting');
    await bot.untilState('ready');
    expect(bot.payloads('corruption:detected')).toEqual([]);
    expect(bot.payloads('restore:started')).toEqual([]);
  });
});
