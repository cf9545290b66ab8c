import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import type { SnapshotInfo } from '../../src/index.js';
import { ESSENTIAL_PATHS } from '../../src/profile/essential-files.js';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const FEW_TRIES = { ...BY_HAND, maxInitRetries: 1, maxReconnectAttempts: 1 };
const FOR_EVER = { failOn: 1, times: Number.POSITIVE_INFINITY };
const OBJECTS = '/bot/session/store/shop/objects';
const ZIPS = '/bot/backup/shop/';
const BLOB = `${ESSENTIAL_PATHS.indexedDbBlobs}/1/00/1`;
const STAGING = '.persistent/staging';

/** Lists what it has, and gives none of its objects. */
class ForbiddenStore extends MemoryStore {
  isForbidden = false;

  override async get(...given: Parameters<MemoryStore['get']>): ReturnType<MemoryStore['get']> {
    if (this.isForbidden && given[0].includes('/objects/')) throw new StoreError('403');
    return super.get(...given);
  }
}

describe('a store that lists its snapshots but can not be read', () => {
  const stage = useFakeStage();

  /** What each step takes, a second apart; then the bot stops as a killed one does, and its profile is lost. */
  async function taken(
    steps: readonly ('save' | 'backup')[],
    store?: MemoryStore,
  ): Promise<readonly SnapshotInfo[]> {
    const bot = stage().bot({ session: { ...BY_HAND, ...(store && { store }) } });
    await bot.logIn();
    await stage().clock.advance(100_000); // settled, all of them
    const snapshots: SnapshotInfo[] = [];
    for (const [index, kind] of steps.entries()) {
      const note = `${kind} ${index + 1}`;
      snapshots.push(await (kind === 'save' ? bot.save(note) : bot.backUp(note)));
      await stage().clock.advance(1000);
    }
    stage().fs.arm({ path: '/session/store', ...FOR_EVER }); // no final save
    store?.setDown(true);
    await bot.stop();
    stage().fs.arm({});
    store?.setDown(false);
    await stage().remove('/bot/auth');
    return snapshots;
  }

  async function noteIn(bot: FakeBot): Promise<string | undefined> {
    return (await bot.client.readLogin())?.note;
  }

  const codesOfFailures = (bot: FakeBot) =>
    new Set(bot.payloads('restore:failed').map(({ error }) => error.code));
  const tried = (bot: FakeBot) => bot.payloads('restore:started').map(({ snapshot }) => snapshot.id);

  it('does not block what another store has', async () => {
    await taken(['backup', 'save']);
    stage().fs.arm({ operation: 'handle.read', path: OBJECTS, ...FOR_EVER });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('backup 1');
    expect(bot.codes).toEqual([]);
    expect(bot.payloads('warning')).toContainEqual({
      code: 'snapshot-unreadable',
      message: expect.stringMatching(/was skipped: .*EIO/),
    });
  });

  it('does not block the saves where the zips are the ones', async () => {
    await taken(['save', 'backup']);
    const bot = stage().bot({ session: BY_HAND });
    // Its beginning, which the listing needs, can be read.
    bot.session.on('restore:started', () => {
      stage().fs.arm({ operation: 'handle.read', path: ZIPS, ...FOR_EVER });
    });
    await bot.start();
    expect(await noteIn(bot)).toBe('save 1');
  });

  it('does not block another store where it is remote', async () => {
    const store = new ForbiddenStore();
    await taken(['backup', 'save'], store);
    store.isForbidden = true;
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('backup 1');
  });

  it('does not block another store when a QR is held back', async () => {
    await taken(['backup', 'save']);
    const first = stage().bot({ session: BY_HAND });
    await first.start();
    await first.stop();
    const [newest] = await first.session.listSnapshots();
    await first.client.writeLogin({ credential: 'of somebody else', note: 'sound, but unknown' });
    stage().fs.arm({ operation: 'handle.read', path: OBJECTS, ...FOR_EVER });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
    expect(newest?.kind).toBe('save');
    expect(bot.payloads('restore:completed')).toMatchObject([
      { reason: 'silent-logout', snapshot: { kind: 'backup' } },
    ]);
  });

  it('is asked for an older snapshot, which may not need what it can not read', async () => {
    const [, newest] = await taken(['save', 'save']);
    stage().fs.arm({
      operation: 'handle.read',
      path: await objectOf(newest, `${INDEXED_DB}/000003.log`),
      ...FOR_EVER,
    });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('save 1');
  });

  it('is asked for the snapshots that do not need what it can not read, however many do', async () => {
    const first = stage().bot({ session: BY_HAND });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.save('before the blob');
    await stage().fs.promises.mkdir(dirname(join(first.client.profileDir, BLOB)), { recursive: true });
    await stage().fs.promises.writeFile(join(first.client.profileDir, BLOB), 'a picture');
    for (let round = 0; round < 6; round++) {
      await stage().clock.advance(1000);
      await first.save(`with the blob, ${round}`);
    }
    await first.stop();
    const [newest] = await first.session.listSnapshots();
    await stage().remove('/bot/auth');
    stage().fs.arm({ operation: 'handle.read', path: await objectOf(newest, BLOB), ...FOR_EVER });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(bot.state).toBe('ready');
    expect(await noteIn(bot)).toBe('before the blob');
    expect(tried(bot)).toHaveLength(3); // twice the newest, and the one without the blob
  });

  it('is asked once more for the newest snapshot when the fault has passed', async () => {
    const snapshots = await taken(['save', 'backup', 'save']);
    stage().fs.arm({ operation: 'handle.read', path: OBJECTS, failOn: 1, errno: 'EIO' });
    const bot = stage().bot({ session: BY_HAND });
    await bot.start();
    expect(await noteIn(bot)).toBe('save 3');
    expect(tried(bot)).toEqual([snapshots[2]?.id, snapshots[2]?.id]);
  });

  it('never looks like a missing session: without another copy no QR is shown, until it can be read again', async () => {
    await taken(['save', 'save', 'save', 'save', 'save']);
    stage().fs.arm({ operation: 'handle.read', path: OBJECTS, ...FOR_EVER });
    const bot = stage().bot({ session: FEW_TRIES });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.state).toBe('failed');
    expect(bot.codes).toEqual([]);
    expect(bot.client.launches).toBe(0);
    const starts = 1 + FEW_TRIES.maxInitRetries + FEW_TRIES.maxReconnectAttempts;
    expect(tried(bot)).toHaveLength(2 * 3 * starts); // each twice; it is not asked for the other two
    stage().fs.arm({});
    await bot.start();
    expect(await noteIn(bot)).toBe('save 5');
  });

  it('never looks like a missing session where the other copies are corrupt', async () => {
    await taken(['backup', 'save']);
    await corruptZip();
    stage().fs.arm({ operation: 'handle.read', path: OBJECTS, ...FOR_EVER });
    const bot = stage().bot({ session: FEW_TRIES });
    await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(bot.codes).toEqual([]);
    expect(codesOfFailures(bot)).toEqual(new Set(['STORE', 'SNAPSHOT_CORRUPT']));
  });

  it.each([
    ['handle.write', 'ENOSPC'],
    ['open', 'EACCES'],
  ])(
    'is not what a full or closed disk of the profile is: %s, %s ends the start at once',
    async (operation, errno) => {
      const snapshots = await taken(['backup', 'save']);
      stage().fs.arm({ operation, path: STAGING, errno, ...FOR_EVER });
      const bot = stage().bot({ session: FEW_TRIES });
      await expect(bot.start()).rejects.toMatchObject({ code: 'START_FAILED' });
      expect(new Set(tried(bot))).toEqual(new Set([snapshots[1]?.id]));
      expect(codesOfFailures(bot)).toEqual(new Set([errno]));
      expect(bot.warnings).not.toContain('snapshot-unreadable');
      expect(bot.codes).toEqual([]);
    },
  );

  it('is not what fails after the profile is in its place: it is not replaced by an older one', async () => {
    const stores = { store: new MemoryStore(), backupStore: new MemoryStore() };
    const first = stage().bot({ session: { ...BY_HAND, ...stores } });
    await first.logIn();
    await stage().clock.advance(100_000);
    await first.backUp('older');
    await stage().clock.advance(1000);
    await first.note('newest');
    await first.stop();
    await stage().damageProfile(first);
    const bot = stage().bot({ session: { ...BY_HAND, ...stores } });
    bot.session.on('session:quarantined', () => {
      // The new profile is in place; stores that are gone by now are no matter, the record is.
      for (const store of Object.values(stores)) store.setDown(true);
      stage().fs.arm({ operation: 'rename', path: 'session.json', failOn: 1 });
    });
    bot.session.on('restore:failed', () => {
      for (const store of Object.values(stores)) store.setDown(false);
    });
    await bot.start();
    expect(bot.payloads('restore:failed')).toMatchObject([{ error: { code: 'EIO' } }]);
    expect(tried(bot)).toHaveLength(1);
    expect(await noteIn(bot)).toBe('newest');
  });

  /** One byte in the name of the last file in the only zip. */
  async function corruptZip(): Promise<void> {
    const zip = (await stage().filesBelow(ZIPS)).find((path) => path.endsWith('.zip')) ?? '';
    const bytes = await stage().fs.promises.readFile(zip);
    const header = bytes.lastIndexOf('PK\x03\x04');
    bytes[header + 30] = (bytes[header + 30] ?? 0) ^ 1;
    await stage().fs.promises.writeFile(zip, bytes);
  }

  /** The SHA-256 of a file of this save, which is the name of its object. */
  async function objectOf(snapshot: SnapshotInfo | undefined, file: string): Promise<string> {
    const path = `/bot/session/store/shop/snapshots/${snapshot?.id}.json`;
    const manifest = JSON.parse(String(await stage().fs.promises.readFile(path, 'utf8'))) as {
      files: { path: string; sha256: string }[];
    };
    const found = manifest.files.find((candidate) => candidate.path === file);
    if (found === undefined) throw new Error(`the save has no ${file}`);
    return found.sha256;
  }
});
