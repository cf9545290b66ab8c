import { describe, expect, it } from 'vitest';
import { crc32c, maskCrc, unmaskCrc } from '../../../src/profile/leveldb/crc32c.js';

describe('CRC32C', () => {
  // RFC 3720, B.4, and LevelDB's own util/crc32c_test.cc.
  it.each([
    ['the check value', Buffer.from('123456789'), 0xe3069283],
    ['32 zeros', Buffer.alloc(32, 0), 0x8a9136aa],
    ['32 times 0xff', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['rising bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['falling bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    ['nothing', Buffer.alloc(0), 0],
  ])('is known for %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('can be taken in pieces of any length', () => {
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) & 255));
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
    }
  });

  it('is masked as LevelDB does, and back', () => {
    expect(maskCrc(crc32c(Buffer.from('foo')))).not.toBe(crc32c(Buffer.from('foo')));
    for (const crc of [0, 1, 0x80000000, 0xffffffff, 0xe3069283]) expect(unmaskCrc(maskCrc(crc))).toBe(crc);
    expect(maskCrc(0)).toBe(0xa282ead8);
  });
});
