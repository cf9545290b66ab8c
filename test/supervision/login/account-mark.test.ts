import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isMarkOf, markAccount } from '../../../src/supervision/login/account-mark.js';
import { ANNA, BEN } from '../../support/accounts.js';

describe('the mark of an account', () => {
  it('tells its own account from others', async () => {
    const mark = await markAccount(ANNA);
    expect(await isMarkOf(mark, ANNA)).toBe(true);
    expect(await isMarkOf(mark, BEN)).toBe(false);
  });

  it('is known again by another process: by its salt, not by memory', async () => {
    const mark =
      'scrypt$00112233445566778899aabbccddeeff$f2898836b7a8e392869e9752f40e39d456440c6c3535ab68559b0ca84633e610';
    expect(await isMarkOf(mark, ANNA)).toBe(true);
    expect(await isMarkOf(mark, BEN)).toBe(false);
  });

  it('that was a plain hash once is known, too', async () => {
    const plain = createHash('sha256').update(ANNA).digest('hex');
    expect(await isMarkOf(plain, ANNA)).toBe(true);
    expect(await isMarkOf(plain, BEN)).toBe(false);
  });

  it('holds no plain hash that trying all numbers would find', async () => {
    const mark = await markAccount(BEN);
    for (const text of [BEN, BEN.split('@')[0] ?? '']) {
      expect(mark).not.toContain(createHash('sha256').update(text).digest('hex'));
      expect(mark).not.toContain(text);
    }
  });

  it('is none where the text is something else', async () => {
    for (const text of ['', 'a'.repeat(64), 'scrypt$$', `scrypt$${'a'.repeat(31)}$${'b'.repeat(64)}`]) {
      expect(await isMarkOf(text, ANNA)).toBe(false);
    }
  });
});
