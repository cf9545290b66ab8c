import { describe, expect, it } from 'vitest';
import { importedLineage, importOf, isSameContent } from '../../../src/supervision/record/lineage.js';

const CONTENT = 'ab'.repeat(32);
const PLACE = '0123456789abcdef';

describe('the name of a lineage that began with an import', () => {
  it('says what was taken over, and is a good name of a lineage', () => {
    const name = importedLineage('20261129-00f46566', { content: CONTENT, place: PLACE });
    expect(name).toMatch(/^[A-Za-z0-9][-\w]{0,127}$/);
    const mark = importOf(name);
    expect(mark?.place).toBe(PLACE);
    expect(mark && isSameContent(mark, CONTENT)).toBe(true);
    expect(mark && isSameContent(mark, 'cd'.repeat(32))).toBe(false);
  });

  it.each(['20261129-00f46566', '', '20261129-i0123', `20261129-i${'g'.repeat(48)}`])('is not %j', (name) => {
    expect(importOf(name)).toBeUndefined();
  });
});
