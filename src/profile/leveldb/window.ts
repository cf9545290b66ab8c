const WINDOW_BYTES = 256 * 1024;

/** Lends windows to read files through, so that many files that are read one after the other need the memory of a few. */
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
