import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from '../../src/supervision/backoff.js';

describe('backoffDelayMs', () => {
  it.each([
    { attempt: 1, dice: 0, expected: 2500 },
    { attempt: 1, dice: 1, expected: 5000 },
    { attempt: 2, dice: 0, expected: 5000 },
    { attempt: 3, dice: 0.5, expected: 15_000 },
    { attempt: 7, dice: 1, expected: 300_000 },
    { attempt: 100_000, dice: 0, expected: 150_000 },
    { attempt: 0, dice: 1, expected: 5000 },
  ])('waits $expected ms before attempt $attempt when the dice show $dice', ({ attempt, dice, expected }) => {
    expect(backoffDelayMs({ attempt, baseMs: 5000, maxMs: 300_000, random: () => dice })).toBe(expected);
  });

  it('lets a cap below the base win', () => {
    expect(backoffDelayMs({ attempt: 1, baseMs: 5000, maxMs: 1000, random: () => 1 })).toBe(1000);
  });

  const input = fc.record({
    attempt: fc.integer({ min: 1, max: 1_000_000 }),
    baseMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    maxMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  });

  it('always stays a whole number a timer takes, between half the ceiling and the ceiling', () => {
    fc.assert(
      fc.property(input, fc.double({ min: -1, max: 2, noNaN: true }), (options, dice) => {
        const delay = backoffDelayMs({ ...options, random: () => dice });
        const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** (options.attempt - 1));
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.max(1, Math.floor(ceiling / 2)));
        expect(delay).toBeLessThanOrEqual(ceiling);
      }),
    );
  });

  it('never waits less for a later attempt when the dice show the same', () => {
    fc.assert(
      fc.property(input, fc.double({ min: 0, max: 1, noNaN: true }), (options, dice) => {
        const random = () => dice;
        const now = backoffDelayMs({ ...options, random });
        const next = backoffDelayMs({ ...options, attempt: options.attempt + 1, random });
        expect(next).toBeGreaterThanOrEqual(now);
      }),
    );
  });
});
