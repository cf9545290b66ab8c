import { orAborted } from '../../clock.js';

/** The rest of the check found that the profile must not be opened. The browser that was launched is closed again. */
export class UnsoundProfileError extends Error {
  override readonly name = 'UnsoundProfileError';

  constructor() {
    super('the profile is not sound: its page was not opened');
  }
}

interface RunningCheck {
  /** Whether the rest of the profile is sound. */
  readonly isSound: Promise<boolean>;
  readonly signal: AbortSignal;
  readonly own: AbortController;
  isOver: boolean;
}

/**
 * The check of IndexedDB's contents, which may go on while the browser is launched: a browser leaves them alone until it
 * opens a page (docs/chromium-facts.md F1.12). The page is held until the verdict is in.
 */
export class TableCheck {
  #current: RunningCheck | undefined;

  /** Begins the check in the background; it ends with `signal`, or by {@link end}. */
  begin(check: (signal: AbortSignal) => Promise<boolean>, signal: AbortSignal): void {
    this.end();
    const own = new AbortController();
    const either = AbortSignal.any([signal, own.signal]);
    const isSound = orAborted(check(either), either);
    const current: RunningCheck = { isSound, signal: either, own, isOver: false };
    const settled = () => {
      current.isOver = true;
    };
    isSound.then(settled, settled); // those who need the verdict ask for it
    this.#current = current;
  }

  /** Whether the check is of the profile in place. */
  get isBegun(): boolean {
    return this.#current !== undefined;
  }

  get isRunning(): boolean {
    return this.#current?.isOver === false;
  }

  /**
   * Whether the rest is sound, once that is known; `true` when there is nothing to wait for.
   *
   * @throws what the check threw; the reason of its signal
   */
  async isSound(): Promise<boolean> {
    const current = this.#current;
    if (current === undefined) return true;
    const isSound = await current.isSound;
    current.signal.throwIfAborted();
    return isSound;
  }

  /**
   * Resolves when the page may open.
   *
   * @throws UnsoundProfileError; what {@link isSound} throws
   */
  async assertSound(): Promise<void> {
    if (!(await this.isSound())) throw new UnsoundProfileError();
  }

  /** Ends a check that is still running, and forgets its verdict. */
  end(): void {
    this.#current?.own.abort();
    this.#current = undefined;
  }
}
