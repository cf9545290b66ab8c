import type { Clock } from '../clock.js';
import { isSessionError, StoreError, TimeoutError } from '../errors.js';
import type { FileHandle, FileSystem } from '../file-system.js';
import { DiskGates, isWithin } from './disk-gates.js';
import type { LaneCall } from './lane.js';

/** The folders of one session. */
export interface GatedFolders {
  /** Absolute paths; each may be on its own disk or network share. */
  readonly roots: readonly string[];
  /**
   * Calls below these folders fail when the disk does not answer. Stores and leases elsewhere have their own
   * deadlines.
   */
  readonly givenUp: readonly string[];
}

export interface GatedFileSystemOptions {
  readonly folders: GatedFolders;
  readonly clock: Clock;
  /**
   * Whether its calls go before those of others at the same gate. For a few small calls that must not be late, such as
   * those of a lease. Default false.
   */
  readonly isUrgent?: boolean;
  /** Default: the gates of this thread. */
  readonly gates?: DiskGates;
}

/** Time limit for calls that move only a few bytes or names, ms. It allows for a disk that must spin up first. */
const QUICK_MS = 20_000;
/** Time limit for calls that move a whole file or tree, or wait for all earlier writes, ms. */
const LONG_MS = 120_000;
const LONG = new Set<string | symbol>('copyFile rm writeFile readFile appendFile sync datasync'.split(' '));
/** Calls that only read: a result that comes too late may be ignored. */
const LOOKS = new Set<string | symbol>('access lstat readdir readlink realpath stat statfs'.split(' '));
const OF_HANDLES = new Set<string | symbol>(
  'appendFile chmod datasync read readFile stat sync truncate utimes write writeFile'.split(' '),
);

/** A folder and its gate. */
type Found = NonNullable<ReturnType<DiskGates['of']>>;
type Call = (...given: readonly unknown[]) => Promise<unknown>;

/** Gates by the file system's `promises`; that object is the same in every module that imports the file system. */
const ofThisThread = new WeakMap<object, DiskGates>();
const originals = new WeakMap<object, FileSystem>();

/**
 * Wraps a file system so that a disk that hangs can't block the process: few calls to each of the named folders run at the
 * same time in this thread, and new ones are refused while the disk does not answer. Otherwise each call to a network
 * share that is gone would take one of node's four threads, until nothing in the process can read a file or look up a name.
 */
export function gatedFileSystem(fs: FileSystem, options: GatedFileSystemOptions): FileSystem {
  const gates = options.gates ?? gatesOf(fs);
  for (const root of options.folders.roots) gates.add(root);
  const way = new Way(gates, options);
  const promises = new Proxy(fs.promises, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: readonly unknown[]) =>
        way.call(name, given, () => Reflect.apply(value, target, given) as Promise<unknown>);
    },
  });
  const { writeFileSync } = fs;
  const gated: FileSystem = {
    promises,
    createReadStream: fs.createReadStream.bind(fs),
    createWriteStream: fs.createWriteStream.bind(fs),
    ...(writeFileSync && {
      writeFileSync: (path, ...rest) => {
        way.assertAnswers(path);
        return writeFileSync.call(fs, path, ...rest);
      },
    }),
  };
  originals.set(promises, plainFileSystem(fs));
  return gated;
}

/** Puts a folder and its subfolders behind one gate, because they hang together. */
export function gateTogether(fs: FileSystem, folder: string): void {
  gatesOf(plainFileSystem(fs)).add(folder);
}

/** The file system without gates: the machine's or the injected one. */
export function plainFileSystem(fs: FileSystem): FileSystem {
  return originals.get(fs.promises) ?? fs;
}

/** Whether a call failed because its disk does not answer. Such an error does not tell which files exist. */
export function isUnanswered(error: unknown): boolean {
  return isSessionError(error) && isSessionError(error.cause) && error.cause.code === 'TIMEOUT';
}

function gatesOf(fs: FileSystem): DiskGates {
  const gates = ofThisThread.get(fs.promises) ?? new DiskGates();
  ofThisThread.set(fs.promises, gates);
  return gates;
}

/** Sends each call through the right gate. */
class Way {
  readonly #gates: DiskGates;
  readonly #clock: Clock;
  readonly #isUrgent: boolean;
  readonly #givenUp: string[];

  constructor(gates: DiskGates, { clock, folders, isUrgent = false }: GatedFileSystemOptions) {
    this.#gates = gates;
    this.#clock = clock;
    this.#isUrgent = isUrgent;
    this.#givenUp = [...folders.givenUp];
  }

  async call(
    name: string | symbol,
    [from, to]: readonly unknown[],
    call: () => Promise<unknown>,
  ): Promise<unknown> {
    const path = typeof from === 'string' ? from : '';
    const first = this.#gates.of(path);
    const second = typeof to === 'string' && TWO_PATHS.has(name) ? this.#gates.of(to) : undefined;
    const found = first ?? second;
    if (found === undefined) return call();
    if (first !== undefined && second !== undefined && first.gate !== second.gate) {
      // A fixed order prevents a deadlock between two calls.
      const [outer, inner] = first.folder < second.folder ? [first, second] : [second, first];
      const both = `${outer.folder} or of ${inner.folder}`; // either may be the one that does not answer
      return this.#through(outer, name, path, () => this.#through(inner, name, path, call, both), both);
    }
    const value = await this.#through(found, name, path, call);
    if (name === 'realpath') this.#learn(path, String(value), found);
    return name === 'open' ? this.#guarded(value as FileHandle, path, found) : value;
  }

  #through(
    { gate, folder }: Found,
    name: string | symbol,
    path: string,
    call: () => Promise<unknown>,
    place = folder,
  ): Promise<unknown> {
    const how = this.#how(name, place, path);
    return gate.run(call, name === 'open' ? { ...how, late: closeLate } : how);
  }

  /** @throws StoreError when the disk of `path` does not answer */
  assertAnswers(path: unknown): void {
    const found = typeof path === 'string' ? this.#gates.of(path) : undefined;
    if (found?.gate.isStuck) throw refusal(found.folder, QUICK_MS);
  }

  #how(name: string | symbol, folder: string, path: string): LaneCall<unknown> {
    const isLong = LONG.has(name);
    const ms = isLong ? LONG_MS : QUICK_MS;
    const isGivenUp = LOOKS.has(name) || this.#givenUp.some((one) => isWithin(one, path));
    return {
      clock: this.#clock,
      isLong,
      isUrgent: this.#isUrgent,
      ms,
      refusal: () => refusal(folder, ms),
      isGivenUp,
    };
  }

  #guarded(handle: FileHandle, path: string, { gate, folder }: Found): FileHandle {
    return new Proxy(handle, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const call: Call = (...given) => Reflect.apply(value, target, given) as Promise<unknown>;
        if (name === 'close') {
          const how = { ...this.#how(name, folder, path), late: () => undefined };
          return () => gate.close(() => call() as Promise<void>, how);
        }
        if (!OF_HANDLES.has(name)) return value.bind(target);
        return (...given: readonly unknown[]) =>
          gate.run(() => call(...given), this.#how(name, folder, path));
      },
    });
  }

  /** Gives the real path of a linked folder the same gate as the link. */
  #learn(path: string, real: string, { folder, gate }: Found): void {
    if (real === path) return;
    const below = path.slice(folder.length);
    const base = below !== '' && real.endsWith(below) ? real.slice(0, -below.length) : real;
    if (base !== '' && this.#gates.of(base) === undefined) this.#gates.add(base, gate);
    const mayGiveUp = (one: string) => this.#givenUp.some((root) => isWithin(root, one));
    if (mayGiveUp(path) && !mayGiveUp(real)) this.#givenUp.push(real);
  }
}

const TWO_PATHS = new Set<string | symbol>(['copyFile', 'link', 'rename']);

function closeLate(handle: unknown): void {
  (handle as FileHandle).close().catch(() => undefined);
}

function refusal(folder: string, ms: number): StoreError {
  const cause = new TimeoutError(`a call did not come back within ${ms / 1000} s`);
  return new StoreError(`the disk of ${folder} does not answer`, { cause });
}
