import { isWithin } from '../../src/disk-gate/disk-gates.js';
import type { FileSystem } from '../../src/file-system.js';

/** A file system with a network share that may vanish: then every call below its folder waits until it is back. */
export class HangingDisk {
  readonly fs: FileSystem;
  readonly #waiting: { readonly call: string; readonly goOn: () => void }[] = [];
  #isGone = false;
  #callsLeft = Number.POSITIVE_INFINITY;

  constructor(fs: FileSystem, folder: string) {
    const promises = new Proxy(fs.promises, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          const paths = given.slice(0, 2).filter((one) => typeof one === 'string');
          const isHere = paths.some((path) => isWithin(folder, path));
          if (isHere && --this.#callsLeft < 0) this.#isGone = true;
          if (this.#isGone && isHere) {
            await new Promise<void>((goOn) =>
              this.#waiting.push({ call: `${String(name)} ${paths[0]}`, goOn }),
            );
          }
          return Reflect.apply(value, target, given) as Promise<unknown>;
        };
      },
    });
    this.fs = { ...fs, promises };
  }

  /** The waiting calls. */
  get stuck(): readonly string[] {
    return this.#waiting.map(({ call }) => call);
  }

  goAway(): void {
    this.#isGone = true;
  }

  /** Lets so many calls through, and then goes away. */
  goAwayAfter(calls: number): void {
    this.#callsLeft = calls;
  }

  comeBack(): void {
    this.#isGone = false;
    this.#callsLeft = Number.POSITIVE_INFINITY;
    for (const { goOn } of this.#waiting.splice(0)) goOn();
  }
}
