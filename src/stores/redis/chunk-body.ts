import { Readable } from 'node:stream';
import { ClosedError } from '../../errors.js';

/** What one script fetches. */
export const BATCH_BYTES = 1024 * 1024;
/** Fetched while the reader is busy with what came before. */
const BATCHES_AHEAD = 3;

export interface ChunkSource {
  /** The bytes that came with the answer, from `from` on. */
  readonly first: readonly Buffer[];
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Exactly these bytes, or it fails. */
  readonly fetch: (from: number, to: number, signal: AbortSignal) => Promise<readonly Buffer[]>;
}

/** A stream of an object's bytes, which fetches the next ones when the first are read. */
export function chunkBody({ first, from, to, fetch }: ChunkSource): Readable {
  const ending = new AbortController();
  const ready = [...first];
  const ahead: Promise<readonly Buffer[]>[] = [];
  let asked = first.reduce((position, { length }) => position + length, from);

  function lookAhead(): void {
    while (ahead.length < BATCHES_AHEAD && asked < to) {
      const end = Math.min(asked + BATCH_BYTES, to);
      const batch = fetch(asked, end, ending.signal);
      batch.catch(() => undefined); // its failure is told when its turn comes
      ahead.push(batch);
      asked = end;
    }
  }

  async function next(): Promise<Buffer | null> {
    lookAhead();
    if (ready.length === 0) ready.push(...((await ahead.shift()) ?? []));
    return ready.shift() ?? null;
  }

  const body = new Readable({
    read() {
      next().then(
        (bytes) => !this.destroyed && this.push(bytes),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      ending.abort(new ClosedError('the body is not read any more'));
      callback(error);
    },
  });
  return body.on('error', () => undefined);
}
