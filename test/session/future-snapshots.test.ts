import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listClients } from '../../src/index.js';
import { parseManifest, serializeManifest } from '../../src/snapshot/manifest/manifest.js';
import { compactTime } from '../../src/snapshot/manifest/snapshot-id.js';
import type { SnapshotManifest } from '../../src/types.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const OF_ANOTHER = { profile: { path: '/elsewhere/profile' }, lineage: '20200101-deadbeef' };
const LAST_MOMENT = { createdAt: '9999-12-31T23:59:59.999Z' };
const DAY_MS = 86_400_000;

describe('a snapshot of the far future in a store', () => {
  const stage = useFakeStage();

  /** A bot that ran and was stopped; `change` is what differs in the copy of its manifest that lies there, too. */
  async function planted(change: Partial<SnapshotManifest>): Promise<FakeBot> {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await stage().clock.advance(100_000);
    const { id } = await bot.save('mine');
    await bot.stop();
    const { fs } = stage();
    const path = (await stage().filesBelow('/bot/session/store')).find((one) => one.includes(id)) ?? '';
    const manifest = parseManifest((await fs.promises.readFile(path)) as Buffer);
    const createdAt = change.createdAt ?? manifest.createdAt;
    const copy = { ...manifest, ...change, createdAt, id: `${compactTime(createdAt)}-aaaaaaaa` };
    await fs.promises.writeFile(join(dirname(path), `${copy.id}.json`), serializeManifest(copy));
    return stage().bot({ session: BY_HAND });
  }

  it.each([
    ['of this very login', LAST_MOMENT],
    ['of this login, a moment before', { createdAt: '9999-12-31T23:59:59.998Z' }],
    ['of another profile', { ...LAST_MOMENT, ...OF_ANOTHER }],
    ['of another login', { ...LAST_MOMENT, lineage: '20200101-deadbeef' }],
    ['of 2099 and this login', { createdAt: '2099-12-31T23:59:59.999Z' }],
    ['of the next year and another profile', { ...OF_ANOTHER, createdAt: nextYear() }],
  ])('%s changes nothing for saves and backups', async (_name, change) => {
    const bot = await planted(change);
    await bot.start();
    expect(bot.state).toBe('ready');
    await stage().clock.advance(100_000);
    for (const { createdAt } of [await bot.save('second'), await bot.backUp('third')]) {
      expect(Math.abs(Date.parse(createdAt) - stage().clock.now())).toBeLessThan(DAY_MS);
    }
  });

  it('is not the newest: not for a list, not for the health, not for listClients()', async () => {
    const bot = await planted(LAST_MOMENT);
    await bot.start();
    await stage().clock.advance(100_000);
    const { id } = await bot.save('second');
    expect((await bot.session.listSnapshots())[0]?.id).toBe(id);
    expect((await bot.finish(bot.session.checkHealth())).metrics.lastSaveAt).not.toMatch(/^9999/);
    const { fs, clock } = stage();
    for await (const { newest } of listClients({
      sessionPath: '/bot/session',
      backupPath: '/bot/backup',
      fs,
      clock,
    })) {
      expect(newest?.id).toBe(id);
    }
  });

  it('of another login is not the one that a bot gets whose profile is gone', async () => {
    const bot = await planted({ ...LAST_MOMENT, lineage: '20200101-deadbeef' });
    await stage().remove('/bot/auth');
    await bot.start();
    const restored = bot.payloads('restore:started').map(({ snapshot }) => snapshot.createdAt.slice(0, 4));
    expect(restored).toHaveLength(1);
    expect(restored).not.toContain('9999');
    expect(bot.state).toBe('ready');
  });

  it('and of the last run that there can be ends no saves', async () => {
    const bot = await planted({ run: 1_000_000_000 });
    await bot.start();
    await stage().clock.advance(100_000);
    expect((await bot.save('second')).run).toBe(1_000_000_000);
  });

  it('that a wrong clock dated makes no later save one too many', async () => {
    const { clock } = stage();
    const now = clock.now();
    clock.setNow(Date.parse('2099-12-31T23:59:59.999Z'));
    const bot = stage().bot({ session: { ...BY_HAND, retention: { saves: { keepLast: 2 } } } });
    await bot.logIn();
    for (const note of ['first', 'second', 'third']) await bot.save(note);
    clock.setNow(now);
    await bot.save('fourth');
    const { id } = await bot.save('fifth');
    expect((await bot.session.listSnapshots())[0]?.id).toBe(id);
  });

  it('that a wrong clock dated does not put off the next backup', async () => {
    const { clock } = stage();
    const now = clock.now();
    clock.setNow(Date.parse('2099-12-31T23:59:59.999Z'));
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    await bot.backUp('dated wrongly');
    await bot.stop();
    clock.setNow(now);
    const next = stage().bot({ session: { ...BY_HAND, backupIntervalMs: 60_000 } });
    await next.start();
    await next.note('new');
    await next.until('a backup', () => next.payloads('backup:completed').length > 0);
    expect(next.payloads('backup:completed')[0]?.snapshot.createdAt).not.toMatch(/^2099/);
  });
});

function nextYear(): string {
  return `${new Date().getUTCFullYear() + 1}-12-31T23:59:59.999Z`;
}
