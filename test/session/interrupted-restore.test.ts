import { describe, expect, it } from 'vitest';
import type { SnapshotInfo } from '../../src/types.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('a restore that is cut short right after its profile was put in place', () => {
  const stage = useFakeStage();

  /** The older of two saves, whose profile is in place; the record does not say so. */
  async function cutShort(): Promise<SnapshotInfo> {
    const bot = await stage().loggedInOnce();
    await bot.start();
    const older = await bot.save('older');
    await stage().clock.advance(1000);
    await bot.save('newer');
    await bot.stop();
    bot.session.on('session:quarantined', () => {
      stage().fs.arm({ operation: 'rename', path: /session\.json$/, failOn: 1 });
    });
    await expect(bot.finish(bot.session.restore(older.id))).rejects.toMatchObject({ code: 'STORE' });
    expect(stage().fs.calls.some(({ failed }) => failed)).toBe(true);
    stage().fs.arm({});
    return older;
  }

  async function expectToGoOn(options: Parameters<ReturnType<typeof stage>['bot']>[0] = {}): Promise<void> {
    const next = stage().bot(options);
    await next.start();
    expect(next.state).toBe('ready');
    expect(await next.client.readLogin()).toMatchObject({ note: 'older' });
    expect(next.payloads('corruption:detected')).toEqual([]);
  }

  it('counts as done: the next start does not take the older profile for a damaged newer one', async () => {
    await cutShort();
    await expectToGoOn();
  });

  it('counts as done also when a prune comes before the next start, which would have removed its snapshot', async () => {
    const older = await cutShort();
    const keepOne = { session: { retention: { saves: { keepLast: 1 }, backups: { keepLast: 1 } } } };
    const pruning = stage().bot(keepOne);
    await pruning.finish(pruning.session.prune());
    expect((await pruning.session.listSnapshots()).map(({ id }) => id)).toContain(older.id);
    await expectToGoOn(keepOne);
  });
});
