import { describe, expect, it } from 'vitest';
import { captureTimeAfter, isBelievable, newestBelievableFirst } from '../../src/snapshot/capture-time.js';

const NOW = Date.parse('2026-11-23T05:14:09.123Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');
const time = (text: string) => Date.parse(text);

describe('the time of a capture', () => {
  it('is the wall clock, and later than each capture that is known', () => {
    expect(captureTimeAfter(NOW, [])).toBe(NOW);
    expect(captureTimeAfter(NOW, [NOW - 5, NOW])).toBe(NOW + 1);
    expect(captureTimeAfter(NOW, [NOW + 3_600_000, NOW])).toBe(NOW + 3_600_001);
  });

  it('does not follow one of the far future, and still follows those that are believed', () => {
    expect(captureTimeAfter(NOW, [LAST])).toBe(NOW);
    expect(captureTimeAfter(NOW, [time('2099-01-01T00:00:00.000Z'), NOW + 7])).toBe(NOW + 8);
  });

  it('follows the captures of before where the clock starts in 1970', () => {
    expect(captureTimeAfter(0, [NOW])).toBe(NOW + 1);
    expect(captureTimeAfter(0, [])).toBe(1);
  });

  it.each([0, NOW, LAST - 1, LAST, LAST + 1, LAST * 2])('has the form of a manifest at %d', (now) => {
    for (const times of [[], [now], [LAST], [LAST - 1], [Number.NaN], [NOW, LAST]]) {
      const iso = new Date(captureTimeAfter(now, times)).toISOString();
      expect(iso).toMatch(/^\d{4}-/);
    }
  });

  it('orders those that are believed first, then the newest', () => {
    const at = (createdAt: string) => ({ createdAt });
    const times = ['9999-12-31T23:59:59.999Z', '2026-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z'];
    const sorted = [...times, '2027-01-01T00:00:00.000Z'].map(at).sort(newestBelievableFirst(NOW));
    expect(sorted.map(({ createdAt }) => createdAt.slice(0, 4))).toEqual(['2027', '2026', '9999', '2099']);
    expect(isBelievable(at('2036-01-01T00:00:00.000Z'), NOW)).toBe(true);
  });
});
