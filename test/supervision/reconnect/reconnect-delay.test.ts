import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backoffDelayMs,
  conflictDelayMs,
  floorMs,
} from '../../../src/supervision/reconnect/reconnect-delay.js';

const documented = { baseMs: 5000, maxMs: 300_000 };
const input = fc.record({
  attempt: fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.constant(Number.POSITIVE_INFINITY)),
  baseMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  maxMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
});
const anyDice = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double());

describe('backoffDelayMs', () => {
  it.each([
    { attempt: 1, dice: 0, expected: 2500 },
    { attempt: 1, dice: 1, expected: 5000 },
    { attempt: 2, dice: 0, expected: 2500 },
    { attempt: 2, dice: 1, expected: 10_000 },
    { attempt: 3, dice: 0.5, expected: 11_250 },
    { attempt: 7, dice: 1, expected: 300_000 },
    { attempt: 100_000, dice: 0, expected: 2500 },
    { attempt: Number.POSITIVE_INFINITY, dice: 1, expected: 300_000 },
    { attempt: 0, dice: 1, expected: 5000 },
    { attempt: 3, dice: Number.NaN, expected: 2500 },
  ])('waits $expected ms before attempt $attempt when the dice show $dice', ({ attempt, dice, expected }) => {
    expect(backoffDelayMs({ attempt, ...documented, random: () => dice })).toBe(expected);
  });

  it('lets a cap below the base win', () => {
    const capped = { attempt: 1, baseMs: 5000, maxMs: 1000 };
    expect(backoffDelayMs({ ...capped, random: () => 1 })).toBe(1000);
    expect(backoffDelayMs({ ...capped, random: () => 0 })).toBe(500);
  });

  it('is a whole number a timer takes, from half of the first ceiling to its own, whatever the dice say', () => {
    fc.assert(
      fc.property(input, anyDice, (options, dice) => {
        const delay = backoffDelayMs({ ...options, random: () => dice });
        const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** (options.attempt - 1));
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(
          Math.max(1, Math.floor(Math.min(options.baseMs, options.maxMs) / 2)),
        );
        expect(delay).toBeLessThanOrEqual(ceiling);
        expect(delay).toBeGreaterThanOrEqual(floorMs(options));
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

  it('spreads over the whole of the time: a thousand bots that lost the same network do not come in one heap', () => {
    const delays = Array.from({ length: 1000 }, (_, bot) =>
      backoffDelayMs({ attempt: 4, ...documented, random: () => bot / 1000 }),
    );
    expect(new Set(delays.map((delay) => Math.floor(delay / 5000))).size).toBe(8);
  });
});

describe('conflictDelayMs', () => {
  it.each([
    { attempt: 1, dice: 0, expected: 60_000 },
    { attempt: 1, dice: 1, expected: 60_000 },
    { attempt: 2, dice: 0, expected: 60_000 },
    { attempt: 3, dice: 0, expected: 120_000 },
    { attempt: 3, dice: 1, expected: 240_000 },
    { attempt: 50, dice: 1, expected: 300_000 },
  ])('waits $expected ms before attempt $attempt when the dice show $dice', ({ attempt, dice, expected }) => {
    expect(conflictDelayMs({ attempt, ...documented, random: () => dice })).toBe(expected);
  });

  it('is never less than a minute, whatever the options and the dice', () => {
    fc.assert(
      fc.property(input, anyDice, (options, dice) => {
        const delay = conflictDelayMs({ ...options, random: () => dice });
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(60_000);
        expect(delay).toBeLessThanOrEqual(Math.max(60_000, options.baseMs, options.maxMs));
      }),
    );
  });
});
