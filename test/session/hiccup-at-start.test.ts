import { describe, expect, it } from 'vitest';
import { useFakeStage } from '../support/fake-stage.js';

const FEW_TRIES = { maxInitRetries: 1, maxReconnectAttempts: 1, healthCheckIntervalMs: 0 };

const PLACES = [
  ['the lease folder', { operation: 'readdir', path: '/bot/session/lease' }],
  ['a lease file', { operation: 'open', path: '.lease' }],
  ['the record', { operation: 'open', path: 'session.json' }],
  ['sessionPath', { operation: 'mkdir', path: '/bot/session' }],
  ['the folder of the profile', { operation: 'mkdir', path: '/bot/auth' }],
] as const;
const CASES = PLACES.flatMap(([place, plan]) =>
  (['EIO', 'ESTALE', 'EBUSY'] as const).map((errno) => [errno, place, plan] as const),
);

describe('a disk that fails for a moment when a bot starts', () => {
  const stage = useFakeStage();

  it.each(CASES)('holds it up, and no more: %s at %s', async (errno, _place, plan) => {
    await stage().loggedInOnce({ session: FEW_TRIES });
    const bot = stage().bot({ session: FEW_TRIES });
    stage().fs.arm({ ...plan, errno, failOn: 1 });
    await bot.start();
    expect(stage().fs.matchingCalls).toBeGreaterThan(0);
    expect(bot.state).toBe('ready');
    expect(bot.codes).toEqual([]);
  });

  it('is tried as often as the options say, and then named', async () => {
    await stage().loggedInOnce({ session: FEW_TRIES });
    const bot = stage().bot({ session: FEW_TRIES });
    stage().fs.arm({
      operation: 'readdir',
      path: '/bot/session/lease',
      failOn: 1,
      times: Number.POSITIVE_INFINITY,
    });
    await expect(bot.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('EIO'),
    });
    expect(bot.state).toBe('failed');
    expect(bot.payloads('reconnect:scheduled')).toHaveLength(1);
    stage().fs.arm({});
    await bot.start();
    expect(bot.state).toBe('ready');
  });
});
