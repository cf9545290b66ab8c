import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PersistentSessionOptions } from '../../src/index.js';
import { ESSENTIAL_PATHS } from '../../src/profile/essential-files.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { blobEntry } from '../profile/indexed-db-writer.js';
import { writeBatch, writeLog } from '../profile/leveldb-writer.js';
import type { FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const BLOBS = ESSENTIAL_PATHS.indexedDbBlobs;
const BLOB = `${BLOBS}/1/00/2`;
const LARGE_VALUE = 'a large value'; // as long as blobEntry() says

describe('a large value in a file of its own (a blob)', () => {
  const stage = useFakeStage();

  async function append(path: string, more: Uint8Array): Promise<void> {
    const { promises } = stage().fs;
    await promises.writeFile(path, Buffer.concat([await promises.readFile(path), more]));
  }

  /** What Chromium does with a large value: first the file, then the record that names it. */
  async function writeLargeValue({ client }: FakeBot): Promise<void> {
    const { promises } = stage().fs;
    const blob = join(client.profileDir, BLOB);
    await promises.mkdir(dirname(blob), { recursive: true });
    await promises.writeFile(blob, LARGE_VALUE);
    const record = writeLog([writeBatch([blobEntry('a record', [{ number: 2 }])], 1)]);
    await append(join(client.profileDir, INDEXED_DB, '000003.log'), record);
  }

  async function savedWithLargeValue(session?: PersistentSessionOptions): Promise<FakeBot> {
    const bot = stage().bot(session && { session });
    await bot.logIn();
    await writeLargeValue(bot);
    await bot.save('with a large value');
    return bot;
  }

  const blobOf = ({ client }: FakeBot) => join(client.profileDir, BLOB);
  const largeValueOf = async (bot: FakeBot) => String(await stage().fs.promises.readFile(blobOf(bot)));
  const noteOf = async ({ client }: FakeBot) => (await client.readLogin())?.note;

  it.each<[string, (bot: FakeBot) => Promise<void>]>([
    ['gone', (bot) => stage().remove(blobOf(bot))],
    ['gone with its folder', (bot) => stage().remove(join(bot.client.profileDir, BLOBS))],
    [
      'gone, and its folder is a file',
      async (bot) => {
        await stage().remove(join(bot.client.profileDir, BLOBS));
        await stage().fs.promises.writeFile(join(bot.client.profileDir, BLOBS), 'no folder');
      },
    ],
  ])(
    'that is %s before a start is put back by itself: nothing that came since is undone',
    async (_, damage) => {
      const bot = await savedWithLargeValue();
      bot.client.pupBrowser?.kill();
      await bot.note('newer than the snapshot');
      await damage(bot);
      await bot.untilState('reconnecting');
      await bot.untilState('ready');
      expect(await largeValueOf(bot)).toBe(LARGE_VALUE);
      expect(await noteOf(bot)).toBe('newer than the snapshot');
      expect(bot.warnings).toContain('large-values-missing');
      expect(bot.payloads('restore:started')).toEqual([]);
      expect(bot.codes).toHaveLength(1); // of the pairing
    },
  );

  it('that is taken away from under the browser is told; the login goes on, and is saved', async () => {
    const bot = await savedWithLargeValue();
    await stage().remove(blobOf(bot));
    await bot.save('later');
    await bot.save('later still');
    expect(bot.warnings.filter((code) => code === 'large-values-missing')).toHaveLength(1);
    expect(await stage().exists(blobOf(bot))).toBe(false); // nothing is changed under a browser
    expect(bot.state).toBe('ready');
  });

  it('is looked for again when the store answers again', async () => {
    const store = new MemoryStore();
    const bot = await savedWithLargeValue({ store });
    await bot.stop();
    await stage().remove(blobOf(bot));
    store.setDown(true);
    const next = stage().bot({ session: { store } });
    await next.start();
    await next.untilState('ready');
    expect(await stage().exists(blobOf(next))).toBe(false);
    store.setDown(false);
    next.client.pupBrowser?.kill();
    await next.untilState('reconnecting');
    await next.untilState('ready');
    expect(await largeValueOf(next)).toBe(LARGE_VALUE);
  });

  it('that the snapshot does not have either keeps nothing from being started and saved, and is told once', async () => {
    const bot = stage().bot();
    await bot.logIn();
    await writeLargeValue(bot);
    await stage().remove(blobOf(bot));
    await bot.save('never had it');
    await bot.save('still not');
    expect(bot.warnings.filter((code) => code === 'large-values-missing')).toHaveLength(1);
    await bot.stop();
    const next = stage().bot();
    await next.start();
    await next.untilState('ready');
    await next.save('nor later');
  });

  it('is not taken from a snapshot that fails its verification; the start goes on', async () => {
    const bot = await savedWithLargeValue();
    await bot.stop();
    await stage().remove(blobOf(bot));
    for (const file of await stage().filesBelow('/bot/session')) {
      if (file.includes('/objects/')) await stage().fs.promises.writeFile(file, 'rubbish');
    }
    const next = stage().bot();
    await next.start();
    await next.untilState('ready');
    expect(await stage().exists(blobOf(next))).toBe(false);
    expect(next.codes).toEqual([]);
  });

  it('that is changed is a damage like any other: the last snapshot is restored', async () => {
    const bot = await savedWithLargeValue();
    await bot.stop();
    await stage().fs.promises.writeFile(blobOf(bot), 'a LARGE value');
    const next = stage().bot();
    await next.start();
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(await largeValueOf(next)).toBe(LARGE_VALUE);
  });

  it('that Chromium has dropped with its record is not missed', async () => {
    const bot = await savedWithLargeValue();
    const [key] = blobEntry('a record', []);
    const record = writeLog([writeBatch([[key]], 10)]);
    await append(join(bot.client.profileDir, INDEXED_DB, '000003.log'), record);
    await stage().remove(blobOf(bot));
    await bot.save('without it');
    await bot.stop();
    const next = stage().bot();
    await next.start();
    expect([...bot.warnings, ...next.warnings]).not.toContain('large-values-missing');
    expect(await stage().exists(blobOf(next))).toBe(false);
  });

  it('that was only half there at a save, and is whole at the start after a kill, is no damage', async () => {
    const bot = await savedWithLargeValue();
    const half = join(bot.client.profileDir, `${BLOBS}/1/00/3`);
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
