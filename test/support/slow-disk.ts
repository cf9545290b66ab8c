import type { FileSystem } from '../../src/file-system.js';
import type { ManualClock } from '../../src/testing/manual-clock.js';

/** Node works on all files of a process in so many threads. */
const THREADS = 4;

/** A disk that answers, but takes `ms` for each call, once `isSlow` says so. */
export function slowDisk(
  fs: FileSystem,
  clock: ManualClock,
  { ms, isSlow }: { ms: number; isSlow: () => boolean },
): FileSystem {
  let busy = 0;
  const queue: (() => void)[] = [];
  const thread = async () => {
    if (busy >= THREADS) await new Promise<void>((begin) => queue.push(begin));
    else busy++;
  };
  const leave = () => {
    const next = queue.shift();
    if (next) next();
    else busy--;
  };
  const promises = new Proxy(fs.promises, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...given: unknown[]) => {
        if (!isSlow()) return Reflect.apply(value, target, given) as Promise<unknown>;
        await thread();
        try {
          await new Promise<void>((over) => clock.setTimeout(over, ms));
          return await (Reflect.apply(value, target, given) as Promise<unknown>);
        } finally {
          leave();
        }
      };
    },
  });
  return { ...fs, promises };
}
