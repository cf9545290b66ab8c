import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createDeflateRaw, createInflateRaw } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { piecesInPool } from './pool-activity.js';

describe('the pieces in the thread pool', () => {
  it('are none once a stream has done its work', async () => {
    const stream = createDeflateRaw().resume();
    stream.end(randomBytes(1000));
    expect(piecesInPool()).toBe(1);
    await once(stream, 'end');
    expect(piecesInPool()).toBe(0);
  });

  it('are none once a stream has failed', async () => {
    const stream = createInflateRaw().resume();
    stream.end(Buffer.alloc(1000, 255));
    await once(stream, 'error');
    expect(piecesInPool()).toBe(0);
  });

  it('are none once a stream was destroyed at work', async () => {
    const stream = createDeflateRaw().resume();
    stream.write(randomBytes(1_000_000));
    expect(piecesInPool()).toBe(1);
    stream.destroy();
    await once(stream, 'close');
    expect(piecesInPool()).toBe(0);
  });
});
