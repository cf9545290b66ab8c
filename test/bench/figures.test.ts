import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, medianOf, ratioOf } from '../../bench/support/figures.js';
import { figures } from './reports.js';

describe('the median', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  it('of nothing is no number', () => expect(median([])).toBeNaN());

  it('does not depend on the order, and does not change what it is given', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const given = [...values];
        expect(median([...values].reverse())).toBe(median(given));
        expect(given).toEqual(values);
      }),
    );
  });

  it('is taken of each figure for itself', () => {
    const runs = [
      figures({ wallMs: 1, busyMs: 9 }),
      figures({ wallMs: 2, busyMs: 8 }),
      figures({ wallMs: 3, busyMs: 7 }),
    ];
    expect(medianOf(runs)).toEqual(figures({ wallMs: 2, busyMs: 8 }));
  });

  it('of a figure that one run could not tell is not told', () => {
    const runs = [figures({ keptBytes: null }), figures()];
    expect(medianOf(runs)).toEqual(figures({ keptBytes: null }));
  });
});

describe('a ratio', () => {
  it('is how many times cheaper ours is', () => {
    expect(ratioOf('wallMs', figures({ wallMs: 600 }), figures({ wallMs: 100 }))).toBe(6);
    expect(ratioOf('wallMs', figures({ wallMs: 50 }), figures({ wallMs: 100 }))).toBe(0.5);
  });

  it('stays finite where ours is nothing', () => {
    expect(ratioOf('writtenBytes', figures(), figures({ writtenBytes: 0 }))).toBe(10_000);
  });

  it('is not told where one of them is not', () => {
    expect(ratioOf('keptBytes', figures({ keptBytes: null }), figures())).toBeUndefined();
    expect(ratioOf('keptBytes', figures(), figures({ keptBytes: null }))).toBeUndefined();
  });
});
