import { describe, expect, it } from 'vitest';
import { ZipPieces } from '../../../src/snapshot/zip/zip-pieces.js';

const turns = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('the pieces of a zip', () => {
  it('have one length, whatever the chunks, and the bytes in order', async () => {
    const pieces = new ZipPieces(10);
    const chunks = ['a', 'bc', 'defghijklmnopqrstuvwxyzabcdefghijklmnop', '', 'q', 'rst'];
    for (const chunk of chunks) pieces.write(Buffer.from(chunk));
    pieces.end();
    const taken: string[] = [];
    for await (const piece of pieces) taken.push(String(piece));
    expect(taken.map(({ length }) => length)).toEqual([10, 10, 10, 10, 6]);
    expect(taken.join('')).toBe(chunks.join(''));
  });

  it('hold lent memory until all of it was copied, and no longer', async () => {
    const pieces = new ZipPieces(10);
    expect(pieces.isReturned).toBe(true);
    pieces.write(Buffer.alloc(20, 'x'));
    const lent = Buffer.allocUnsafeSlow(5);
    pieces.lend(lent);
    pieces.write(Buffer.from('a header of the format'));
    pieces.write(lent);
    const copied = pieces.untilCopied(47);
    await turns();
    expect(pieces.isReturned).toBe(false);
    const taking = pieces[Symbol.asyncIterator]();
    for (let piece = 0; piece < 4; piece += 1) await taking.next();
    await copied;
    expect(pieces.isReturned).toBe(true);
    pieces.destroy();
  });

  it('are never taken for whole when the stream was torn down', async () => {
    const pieces = new ZipPieces(10);
    pieces.write(Buffer.alloc(5));
    const taking = pieces[Symbol.asyncIterator]().next();
    await turns();
    pieces.destroy();
    await expect(taking).rejects.toThrow();
  });
});
