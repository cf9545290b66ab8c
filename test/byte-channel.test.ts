import { buffer } from 'node:stream/consumers';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { receiveBytes, sendBytes } from '../src/byte-channel.js';

async function* pieces(count: number, made: number[] = []) {
  for (let n = 0; n < count; n += 1) {
    made.push(n);
    const piece = Buffer.allocUnsafeSlow(1_000);
    piece.fill(n);
    yield piece;
  }
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('bytes through a channel', () => {
  it('arrive in order, and their number is told', async () => {
    const { port1, port2 } = new MessageChannel();
    const sending = sendBytes(port2, pieces(50));
    const received = await buffer(receiveBytes(port1));
    expect(await sending).toBe(50_000);
    expect(received.length).toBe(50_000);
    expect([...new Set(received)]).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('are sent no faster than they are taken', async () => {
    const { port1, port2 } = new MessageChannel();
    const made: number[] = [];
    const sending = sendBytes(port2, pieces(1_000, made));
    const body = receiveBytes(port1);
    await turns(50);
    expect(made).toHaveLength(1);
    const taking = body[Symbol.asyncIterator]();
    await taking.next();
    await turns(50);
    expect(made.length).toBeLessThanOrEqual(20);
    body.destroy();
    expect(await sending).toBeUndefined();
  });

  it('end for the sender when the reader gives up', async () => {
    const { port1, port2 } = new MessageChannel();
    let isClosed = false;
    const source = (async function* () {
      try {
        yield* pieces(1_000);
      } finally {
        isClosed = true;
      }
    })();
    const sending = sendBytes(port2, source);
    const body = receiveBytes(port1);
    for await (const _piece of body) break;
    expect(await sending).toBeUndefined();
    expect(isClosed).toBe(true);
  });

  it('end with the error of their source, and with the reason of an abort while nobody takes them', async () => {
    const broken = (async function* () {
      yield* pieces(1);
      throw new Error('torn');
    })();
    const first = new MessageChannel();
    const body = receiveBytes(first.port1);
    const sending = sendBytes(first.port2, broken);
    body.resume();
    await expect(sending).rejects.toThrow('torn');
    expect(body.readableEnded).toBe(false);
    body.destroy();
    const second = new MessageChannel();
    const abort = new AbortController();
    const waiting = sendBytes(second.port2, pieces(5), abort.signal);
    await turns(5);
    abort.abort(new Error('stopping'));
    await expect(waiting).rejects.toThrow('stopping');
    second.port1.close();
  });

  it('end for the reader as soon as they may not be taken any more, the end itself included', async () => {
    for (const allowed of [0, 3, 5]) {
      const { port1, port2 } = new MessageChannel();
      let calls = 0;
      const body = receiveBytes(port1, () => {
        calls += 1;
        if (calls > allowed) throw new Error('not ours');
      });
      const sending = sendBytes(port2, pieces(4));
      await expect(buffer(body)).rejects.toThrow('not ours');
      await sending;
    }
  });
});
