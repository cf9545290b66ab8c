import { whileBusy } from './busy.js';
import type { Clock } from './clock.js';
import type { FileSystem } from './file-system.js';

export interface PatientOptions {
  readonly clock: Clock;
  /** Default: the platform of this process. */
  readonly platform?: NodeJS.Platform;
}

/** Operations that Windows refuses while a virus scanner, an indexer or an ending browser has a file open (#3546). */
const OFTEN_REFUSED: ReadonlySet<string | symbol> = new Set(['rename', 'rm', 'rmdir', 'unlink']);

/**
 * Wraps a file system so that renames and deletions are repeated when Windows reports that a file is in use: seven times
 * within 1.3 s. After that the error is thrown unchanged. A mount point is always busy, so its error only comes a little
 * later.
 */
export function patientFileSystem(fs: FileSystem, options: PatientOptions): FileSystem {
  const { clock, platform = process.platform } = options;
  const promises = new Proxy(fs.promises, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!OFTEN_REFUSED.has(name)) return value.bind(target);
      return (...given: unknown[]) =>
        whileBusy({ clock, platform }, () => Reflect.apply(value, target, given) as Promise<unknown>);
    },
  });
  return {
    promises,
    createReadStream: fs.createReadStream.bind(fs),
    createWriteStream: fs.createWriteStream.bind(fs),
  };
}
