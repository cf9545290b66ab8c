import { describe, expect, it, vi } from 'vitest';
import { guardRandom } from '../../../src/options/callbacks/guard-random.js';

const logger = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() });

describe('a guarded source of random numbers', () => {
  it('gives what the bot’s own gives', () => {
    const log = logger();
    const values = [0, 0.25, 1 - 2 ** -53];
    const random = guardRandom(() => values.shift() ?? 0, Math.random, log);
    expect([random(), random(), random()]).toEqual([0, 0.25, 1 - 2 ** -53]);
    expect(log.warn).not.toHaveBeenCalled();
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no entropy');
      },
    ],
    ['returns NaN', () => Number.NaN],
    ['returns 1', () => 1],
    ['returns less than 0', () => -0.5],
    ['returns a text', () => '0.5'],
    ['returns nothing', () => undefined],
    ['is async', async () => 0.5],
  ])('asks the spare one where it %s, and says so once', (_name, broken) => {
    const log = logger();
    const random = guardRandom(broken as () => number, () => 0.75, log);
    expect([random(), random()]).toEqual([0.75, 0.75]);
    expect(log.warn).toHaveBeenCalledTimes(1);
  });
});
