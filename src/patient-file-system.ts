import { whileBusy } from './busy.js';
import type { Clock } from './clock.js';
import type { FileSystem } from './file-system.js';

export interface PatientOptions {
  readonly clock: Clock;
  /** Default: the present one. */
  readonly platform?: NodeJS.Platform;
}

/** What Windows refuses for as long as a virus scanner, an indexer or an ending browser has a file open (#3546). */
const OFTEN_REFUSED: ReadonlySet<string | symbol> = new Set(['rename', 'rm', 'rmdir', 'unlink']);

/**
 * A file system that tries renames and deletions again where Windows says that a file is in use: seven times within 1.3 s.
 * Then the error comes as it is. A mount point, which is busy for ever, is told all the same, a little later.
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
