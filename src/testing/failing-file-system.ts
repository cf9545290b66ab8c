import type { ReadStream, WriteStream } from 'node:fs';
import type { FileSystem } from '../file-system.js';
import { FaultCounter, type FaultPlan, type FileSystemCall } from './fault-counter.js';

/**
 * Methods of an open file that return at once, which makes no sense to fail. Streams made by an open file are not
 * counted.
 */
const SYNCHRONOUS = new Set(
  'getAsyncId ref unref createReadStream createWriteStream readLines on once off emit'.split(' '),
);

/** A file system that fails on demand, see {@link failingFileSystem}. */
export interface FaultyFileSystem extends FileSystem {
  /** Every call so far, in order. */
  readonly calls: readonly FileSystemCall[];
  /** Calls so far that matched the {@link FaultPlan}. */
  readonly matchingCalls: number;
  /** Uses another {@link FaultPlan} and resets the counts. */
  arm(plan: FaultPlan): void;
}

/**
 * Wraps a file system (`node:fs`, memfs) so that the n-th call fails, before it takes effect. Calls through an
 * open file or a stream count too.
 *
 * @example
 * const fs = failingFileSystem(systemFileSystem, { operation: 'rename', failOn: 1, errno: 'ENOSPC' });
 * await assert.rejects(new FileSystemStore(folder, { fs }).put('a', bytes));
 */
export function failingFileSystem(fs: FileSystem, plan: FaultPlan = {}): FaultyFileSystem {
  const counter = new FaultCounter(plan);
  return {
    get calls() {
      return counter.calls;
    },
    get matchingCalls() {
      return counter.matching;
    },
    arm: (next) => counter.arm(next),
    promises: faulty(fs.promises, counter),
    createReadStream: (path, options) => faultyReadStream(fs.createReadStream(path, options), counter, path),
    createWriteStream: (path, options) =>
      faultyWriteStream(fs.createWriteStream(path, options), counter, path),
    ...(fs.writeFileSync && { writeFileSync: fs.writeFileSync.bind(fs) }),
  };
}

/** Makes every method of `target` ask the counter first; the open files that it returns are wrapped too. */
function faulty<T extends object>(target: T, counter: FaultCounter, of?: readonly string[]): T {
  return new Proxy(target, {
    get(_, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function' || typeof property !== 'string') return value;
      if (SYNCHRONOUS.has(property)) return value.bind(target);
      return async (...args: unknown[]) => {
        const paths = of ?? pathsOf(property, args);
        const fault = counter.next(of === undefined ? property : `handle.${property}`, paths);
        if (fault !== undefined) throw fault;
        const result: unknown = await Reflect.apply(value, target, args);
        return property === 'open' && typeof result === 'object' && result !== null
          ? faulty(result, counter, paths)
          : result;
      };
    },
  });
}

function faultyReadStream(stream: ReadStream, counter: FaultCounter, path: unknown): ReadStream {
  const paths = [String(path)];
  const read = stream._read.bind(stream);
  stream._read = (size) => {
    const fault = counter.next('readStream.read', paths);
    if (fault === undefined) read(size);
    else stream.destroy(fault);
  };
  failAtOnce(stream, counter.next('createReadStream', paths));
  return stream;
}

function faultyWriteStream(stream: WriteStream, counter: FaultCounter, path: unknown): WriteStream {
  const paths = [String(path)];
  const write = stream._write.bind(stream);
  stream._write = (chunk, encoding, callback) => {
    const fault = counter.next('writeStream.write', paths);
    if (fault === undefined) write(chunk, encoding, callback);
    else callback(fault);
  };
  // Without this, several chunks written at once would not be counted.
  Reflect.set(stream, '_writev', null);
  const final = stream._final?.bind(stream);
  stream._final = (callback) => {
    const fault = counter.next('writeStream.final', paths);
    if (fault !== undefined) callback(fault);
    else if (final === undefined) callback();
    else final(callback);
  };
  failAtOnce(stream, counter.next('createWriteStream', paths));
  return stream;
}

function failAtOnce(stream: ReadStream | WriteStream, fault: Error | undefined): void {
  if (fault !== undefined) stream.destroy(fault);
}

/**
 * Calls such as `writeFile(handle, ...)` have no path, `readFile` and most others have one, `rename`, `link` and
 * `copyFile` have two.
 */
function pathsOf(operation: string, args: readonly unknown[]): readonly string[] {
  const two = ['rename', 'link', 'copyFile', 'symlink'].includes(operation);
  return args
    .slice(0, two ? 2 : 1)
    .filter((arg) => typeof arg === 'string' || arg instanceof URL)
    .map(String);
}
