const WINDOW_BYTES = 256 * 1024;

/** Lends and reuses buffers for reading files, so that reading many files needs the memory of only a few. */
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
