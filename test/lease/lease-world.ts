import { type IFs, memfs } from 'memfs';
import type { FileSystem } from '../../src/file-system.js';
import { LocalLease, type LocalLeaseOptions, type Machine } from '../../src/lease/local-lease.js';
import { ManualClock } from './manual-clock.js';

/** One process in a world of the test's making. */
export interface FakeProcess {
  readonly host: string;
  /** Absent: its machine tells nothing of its processes. */
  readonly namespace?: string | undefined;
  readonly pid: number;
  readonly startTime?: string;
}

/** A shared folder, and processes on several machines that want the same session. */
export class LeaseWorld {
  readonly clock = new ManualClock();
  readonly fs: IFs = memfs().fs;
  readonly #dead = new Set<FakeProcess>();
  /** Every process with the tokens it holds. */
  readonly #processes = new Map<FakeProcess, Set<string>>();

  /** A lease in this process of the world. */
  lease(process: FakeProcess, overrides: Partial<LocalLeaseOptions> = {}): LocalLease {
    const fs = this.fs as unknown as FileSystem;
    const machine = this.#machineOf(process);
    return new LocalLease({
      directory: '/s/lease',
      clientId: 'shop',
      fs,
      clock: this.clock,
      machine,
      ...overrides,
    });
  }

  kill(process: FakeProcess): void {
    this.#dead.add(process);
  }

  files(): readonly string[] {
    return this.fs.readdirSync('/s/lease').map(String).sort();
  }

  read(name: string): Record<string, unknown> {
    return JSON.parse(String(this.fs.readFileSync(`/s/lease/${name}`)));
  }

  /** The shared file system, with some of its calls replaced. */
  fsWith(replaced: Partial<FileSystem['promises']>): FileSystem {
    const real = this.fs as unknown as FileSystem;
    const promises = new Proxy(real.promises, {
      get: (target, name) => Reflect.get(replaced, name) ?? Reflect.get(target, name),
    });
    return { ...real, promises };
  }

  #machineOf(process: FakeProcess): Machine {
    const startTime = (one: FakeProcess) => one.startTime ?? 'boot:1';
    const heldTokens = this.#processes.get(process) ?? new Set();
    this.#processes.set(process, heldTokens);
    return {
      heldTokens,
      hostname: () => process.host,
      namespace: async () => process.namespace,
      identity: async () => ({ pid: process.pid, startTime: startTime(process) }),
      isAlive: async (identity) =>
        [...this.#processes.keys()].some(
          (one) =>
            one.namespace === process.namespace &&
            one.pid === identity.pid &&
            startTime(one) === identity.startTime &&
            !this.#dead.has(one),
        ),
    };
  }
}

/** What became of a promise so far. */
export function follow<T>(work: Promise<T>): { readonly outcome: () => T | unknown | 'pending' } {
  let outcome: unknown = 'pending';
  work.then(
    (value) => {
      outcome = value;
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  return { outcome: () => outcome };
}
