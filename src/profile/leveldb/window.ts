import type { ReadAt } from './table.js';

const WINDOW_BYTES = 256 * 1024;

/**
 * Reads a file through a window: ranges that are asked for in rising order, however small, cost one read for each
 * window. What it returns is valid only until the next call.
 */
export function throughWindow(readAt: ReadAt, fileBytes: number, window: Uint8Array): ReadAt {
  let start = 0;
  let held: Uint8Array = window.subarray(0, 0);
  return async (offset, length) => {
    if (length > window.length) return readAt(offset, length);
    if (offset < start || offset + length > start + held.length) {
      const wanted = Math.max(length, Math.min(window.length, fileBytes - offset));
      held = window.subarray(0, 0); // whatever a read that fails has left in it
      held = await readAt(offset, wanted, window);
      start = offset;
    }
    return held.subarray(offset - start, offset - start + length);
  };
}

/** Lends windows, so that many files that are read one after the other need the memory of a few. */
export class Windows {
  readonly #free: Uint8Array[] = [];

  async lend<T>(work: (window: Uint8Array) => Promise<T>): Promise<T> {
    const window = this.#free.pop() ?? new Uint8Array(WINDOW_BYTES);
    try {
      return await work(window);
    } finally {
      this.#free.push(window);
    }
  }
}
