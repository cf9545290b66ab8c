import { describe, expect, it } from 'vitest';
import { useFakeStage } from '../support/fake-stage.js';

describe('a restore that is cut short right after its profile was put in place', () => {
  const stage = useFakeStage();

  it('counts as done: the next start does not take the older profile for a damaged newer one', async () => {
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
    const next = stage().bot();
    await next.start();
    expect(next.state).toBe('ready');
    expect(await next.client.readLogin()).toMatchObject({ note: 'older' });
    expect(next.payloads('corruption:detected')).toEqual([]);
  });

  it('counts as done also when a prune comes before the next start, which would have removed its snapshot', async () => {
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
    stage().fs.arm({});
    const keepOne = { retention: { saves: { keepLast: 1 }, backups: { keepLast: 1 } } };
    const pruning = stage().bot({ session: keepOne });
    await pruning.finish(pruning.session.prune());
    expect((await pruning.session.listSnapshots()).map(({ id }) => id)).toContain(older.id);
    const next = stage().bot({ session: keepOne });
    await next.start();
    expect(await next.client.readLogin()).toMatchObject({ note: 'older' });
    expect(next.payloads('corruption:detected')).toEqual([]);
  });
});
