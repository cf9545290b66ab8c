import { describe, expect, it } from 'vitest';
import { canRead, dataVersionOf, firstReader } from '../../src/profile/browser-reach.js';

const V15 = { schema: 5, v8: 15, blink: 21 };
const V16 = { schema: 5, v8: 16, blink: 21 };
const V17 = { schema: 5, v8: 17, blink: 21 };

describe('whether a browser reads a database', () => {
  it.each([
    [131, V15, undefined, true],
    [148, V15, undefined, true],
    [148, V16, undefined, false],
    [148, V16, 156, false],
    // The profile was elsewhere meanwhile: the database counts, not the record of who was there last.
    [148, V16, 146, false],
    [149, V16, undefined, true],
    [149, V16, 156, true],
    [156, V15, 146, true],
    [156, V17, undefined, false],
    [156, V17, 170, false],
    [156, { ...V16, blink: 22 }, undefined, false],
    [156, { ...V16, schema: 6 }, undefined, false],
    // Newer than all that was measured.
    [170, V16, undefined, true],
    [170, V17, undefined, undefined],
    [170, V17, 170, true],
    [170, V17, 165, true],
    [165, V17, 170, false],
    // Older than all that was measured.
    [120, V15, undefined, undefined],
    [120, V16, undefined, false],
  ])('%d, %j, written by %s: %s', (browser, data, writer, expected) => {
    expect(canRead(browser, data, writer)).toBe(expected);
  });

  it('names the first browser that does', () => {
    expect(firstReader(V15, 140)).toBe(131);
    expect(firstReader(V16, 156)).toBe(149);
    expect(firstReader(V17, 170)).toBe(170);
    expect(firstReader(V17, undefined)).toBeUndefined();
  });

  it('knows what a browser leaves behind', () => {
    expect(dataVersionOf(148)).toEqual(V15);
    expect(dataVersionOf(156)).toEqual(V16);
    expect(dataVersionOf(100)).toBeUndefined();
  });
});
