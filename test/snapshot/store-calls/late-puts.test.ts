import { describe, expect, it } from 'vitest';
import { withdrawLatePuts } from '../../../src/snapshot/store-calls/late-puts.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { notTheOwner } from '../../../src/write-permit.js';
import { IllStore } from '../../support/ill-store.js';

describe('a put that comes after it was given up', () => {
  async function late(key: string, { owned = true } = {}): Promise<boolean> {
    const clock = new ManualClock();
    const ill = new IllStore('s3', clock);
    const assertMayWrite = () => {
      if (!owned) throw notTheOwner('shop');
    };
    const store = withdrawLatePuts(ill, { clock, name: 's3', assertMayWrite });
    ill.fall('hangs');
    const putting = store.put(key, Buffer.from('x')).catch(() => undefined);
    await clock.advance(60_000);
    await putting;
    ill.recover({ answer: true });
    await clock.advance(0);
    return (await ill.head(key)) !== undefined;
  }

  it.each(['shop/snapshots/20261123T051409123Z-1a2b3c4d.json', 'shop/shop_x_run1.zip'])(
    'lists no snapshot: %s is withdrawn',
    async (key) => expect(await late(key)).toBe(false),
  );

  it.each(['shop/objects/ab/abcd', 'shop/state.json', 'shop/state-copy.json'])(
    'leaves %s: it is right whenever it comes',
    async (key) => expect(await late(key)).toBe(true),
  );

  it('deletes nothing in a session that is not ours any more', async () => {
    expect(await late('shop/shop_x_run1.zip', { owned: false })).toBe(true);
  });
});
