import type { FileSystem } from '../../src/file-system.js';

export interface ReadingMeter {
  /** The file system whose readings are counted. */
  readonly fs: FileSystem;
  /** Bytes that `work` reads of open files whose path matches. */
  readBy(path: RegExp, work: () => Promise<unknown>): Promise<number>;
}

/** Counts the bytes that are read of open files, not of streams. */
export function readingMeter(fs: FileSystem): ReadingMeter {
  const read: { readonly path: string; readonly bytes: number }[] = [];
  const open: FileSystem['promises']['open'] = async (path, ...rest) => {
    const handle = await fs.promises.open(path, ...rest);
    return new Proxy(handle, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'read') return value.bind(target);
        return async (...given: readonly unknown[]) => {
          const result = await (Reflect.apply(value, target, given) as ReturnType<typeof target.read>);
          read.push({ path: String(path), bytes: result.bytesRead });
          return result;
        };
      },
    });
  };
  return {
    fs: { ...fs, promises: { ...fs.promises, open } },
    async readBy(path, work) {
      read.length = 0;
      await work();
      return read.filter((one) => path.test(one.path)).reduce((sum, { bytes }) => sum + bytes, 0);
    },
  };
}
