import crypto from 'node:crypto';
import type { Transform as Transformer } from 'node:stream';
import { DeflateRaw } from 'node:zlib';

type Transform = (
  this: Transformer,
  chunk: unknown,
  encoding: unknown,
  callback: (...args: unknown[]) => void,
) => void;

let pending = 0;
watchZlib();
watchScrypt();

/**
 * The number of pieces on which zlib and scrypt work in the thread pool. Node does not report them
 * (`process.getActiveResourcesInfo()` only lists requests), and on a busy machine one may take longer than any number
 * of turns of the event loop.
 */
export function piecesInPool(): number {
  return pending;
}

/** Counts the work of all zlib streams, which share one `_transform` for both directions. */
function watchZlib(): void {
  let base = DeflateRaw.prototype as object;
  while (!Object.hasOwn(base, '_transform')) {
    base = Object.getPrototypeOf(base) ?? fail();
  }
  const shared = base as { _transform: Transform };
  const transform = shared._transform;
  shared._transform = function (chunk, encoding, callback) {
    const end = begin();
    // A stream that fails or is destroyed never calls back.
    this.once('close', end);
    transform.call(this, chunk, encoding, (...args) => {
      this.off('close', end);
      end();
      callback(...args);
    });
  };
}

function watchScrypt(): void {
  const scrypt = crypto.scrypt as (...args: unknown[]) => void;
  Object.assign(crypto, {
    scrypt: (...args: unknown[]) => {
      const callback = args.pop() as (...results: unknown[]) => void;
      const end = begin();
      scrypt(...args, (...results: unknown[]) => {
        end();
        callback(...results);
      });
    },
  });
}

/** Counts one piece until the returned function is called, once or again. */
function begin(): () => void {
  let counted = 1;
  pending++;
  return () => {
    pending -= counted;
    counted = 0;
  };
}

function fail(): never {
  throw new Error('zlib has no _transform any more: say in another way when it works');
}
