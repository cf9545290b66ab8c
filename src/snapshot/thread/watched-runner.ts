import type { Clock } from '../../clock.js';
import type { FileHandle, FileSystem } from '../../file-system.js';
import { whileItMoves } from '../../stores/watched/deadline.js';
import { TRANSFER_MS } from '../../stores/watched/limits.js';
import type { TaskRunner } from '../../task.js';

/**
 * Runs tasks in the calling thread, as long as their file calls make progress: when a network share hangs during a
 * task, it must not hold up other calls that wait for the same store. The task itself goes on, and its result is
 * ignored.
 */
export function watchedTaskRunner(fs: FileSystem, clock: Clock, name: string): TaskRunner {
  return {
    run: (task, input, { signal } = {}) =>
      whileItMoves({ clock, name, action: 'work on its files', ms: TRANSFER_MS, signal }, (own, moving) =>
        task.run(input, { fs: movingFileSystem(fs, moving), clock, signal: own }),
      ),
    close: async () => undefined,
  };
}

/** Wraps a file system so that it reports every call that has ended, also calls of open files. */
function movingFileSystem(fs: FileSystem, moved: () => void): FileSystem {
  return {
    promises: telling(fs.promises, moved),
    createReadStream: fs.createReadStream.bind(fs),
    createWriteStream: fs.createWriteStream.bind(fs),
  };
}

function telling<T extends FileSystem['promises'] | FileHandle>(target: T, moved: () => void): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        const result: unknown = Reflect.apply(value, target, given);
        if (!(result instanceof Promise)) return result;
        return result.then((done: unknown) => {
          moved();
          return name === 'open' ? telling(done as FileHandle, moved) : done;
        });
      };
    },
  });
}
