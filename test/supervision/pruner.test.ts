import { describe, expect, it } from 'vitest';
import { BackupDirStore } from '../../src/stores/backup-dir-store.js';
import { useFakeStage } from '../support/fake-stage.js';

/** A session that saves only when it is told to. */
const BY_HAND = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
};
/** Longer than a session takes to settle: then the last good snapshot is one, not two. */
const SETTLED_MS = 100_000;

describe('retention, with two folders of backups', () => {
  const stage = useFakeStage();

  it.each([
    ['keepLast', { backups: { keepLast: 2, keepDaily: 0 } }, 2],
    ['a size that leaves only the last good one', { maxTotalMb: 0.000_001 }, 1],
  ])('counts in each of them by itself: %s', async (_, retention, kept) => {
    const { fs } = stage();
    const backupStore = ['/near', '/far'].map((root) => new BackupDirStore(root, { fs }));
    const bot = stage().bot({ session: { ...BY_HAND, backupStore, retention } });
    await bot.logIn();
    await stage().clock.advance(SETTLED_MS);
    for (let round = 0; round < 4; round++) {
      await bot.backUp(`round ${round}`);
      await stage().clock.advance(1000);
    }
    for (const folder of ['/near', '/far']) {
      const zips = (await stage().filesBelow(folder)).filter((path) => path.endsWith('.zip'));
      expect(zips).toHaveLength(kept);
    }
    const stores = (await bot.session.listSnapshots()).map(({ store }) => store);
    expect(stores.filter((name) => name === 'backup-dir')).toHaveLength(kept);
    expect(stores.filter((name) => name === 'backup-dir-2')).toHaveLength(kept);
  });
});
