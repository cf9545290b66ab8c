import { StoreError } from '../../../src/errors.js';
import type { Machine } from '../../../src/lease/local-lease.js';
import { ProcessBeat } from '../../../src/lease/store/process-beat.js';
import { StoreLease } from '../../../src/lease/store/store-lease.js';
import { silentLogger } from '../../../src/logger.js';
import type { PutOptions, SessionStore } from '../../../src/stores/session-store.js';
import { WatchedStore } from '../../../src/stores/watched-store.js';
import { MemoryStore } from '../../../src/testing/memory-store.js';
import { ManualClock } from '../manual-clock.js';
import { PausedClock } from '../paused-clock.js';

export interface StoreWorldOptions {
  /** Whether the server tells its time and keeps fences, as a database does. Default true. */
  readonly hasTime?: boolean;
}

/** A store that several processes share, which can be suspended, killed and cut off from it. */
export class StoreWorld {
  readonly clock = new ManualClock();
  /** How far the clock of the server is ahead, ms. */
  serverAheadMs = 0;
  readonly memory = new MemoryStore({
    clock: {
      now: () => this.clock.now() + this.serverAheadMs,
      monotonic: () => this.clock.monotonic(),
      setTimeout: (callback, delayMs) => this.clock.setTimeout(callback, delayMs),
      clearTimeout: (handle) => this.clock.clearTimeout(handle),
    },
  });
  readonly #hasTime: boolean;
  readonly #processes: StoreProcess[] = [];

  constructor({ hasTime = true }: StoreWorldOptions = {}) {
    this.#hasTime = hasTime;
  }

  /** A process on a machine of its own, unless it is told to share one. */
  process(name: string, machine = name): StoreProcess {
    const pid = 100 + this.#processes.length;
    const process = new StoreProcess({ name, machine, pid, world: this, others: this.#processes });
    this.#processes.push(process);
    return process;
  }

  get hasTime(): boolean {
    return this.#hasTime;
  }

  async keys(): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of this.memory.list('')) keys.push(key);
    return keys.sort();
  }

  async read(key: string): Promise<Record<string, unknown>> {
    const found = await this.memory.get(key);
    return JSON.parse(Buffer.concat((await found?.body.toArray()) ?? []).toString());
  }
}

export class StoreProcess {
  readonly beat: ProcessBeat;
  readonly machine: Machine;
  readonly clock: PausedClock;
  readonly lost: string[] = [];
  readonly reclaimed: number[] = [];
  /** `cut`: no call gets through. `deaf`: calls are done, and their answers are lost. */
  network: 'up' | 'cut' | 'deaf' = 'up';
  isDead = false;
  /** Makes single calls fail: `before` they get through, or `after`, so that only the answer is lost. */
  fault: (call: 'put' | 'get' | 'delete', key: string) => 'before' | 'after' | undefined = () => undefined;
  readonly store: SessionStore;
  readonly pid: number;

  constructor(parts: {
    readonly name: string;
    readonly machine: string;
    readonly pid: number;
    readonly world: StoreWorld;
    readonly others: readonly StoreProcess[];
  }) {
    const { world, pid, others } = parts;
    this.pid = pid;
    this.clock = new PausedClock(world.clock);
    const here = { host: parts.machine, pid, machine: parts.machine };
    this.machine = {
      heldTokens: new Set(),
      hostname: () => here.host,
      namespace: async () => here.machine,
      identity: async () => ({ pid, startTime: 'boot:1' }),
      isAlive: async (identity) => [...others].some((one) => one.pid === identity.pid && !one.isDead),
    };
    this.store = new WatchedStore(this.#networkTo(world), { clock: this.clock });
    this.beat = new ProcessBeat({
      store: this.store,
      clock: this.clock,
      logger: silentLogger,
      machine: this.machine,
    });
  }

  lease(clientId = 'shop', highestKnown?: () => Promise<number>): StoreLease {
    const { store, beat, clock, machine } = this;
    return new StoreLease({
      ...{ clientId, store, beat, clock, machine, logger: silentLogger },
      ...(highestKnown && { highestKnown }),
      onLost: (reason) => this.lost.push(reason),
      onReclaimed: ({ generation }) => this.reclaimed.push(generation),
    });
  }

  /** SIGSTOP: no timer fires, and no answer is heard, until it is resumed. */
  suspend(): void {
    this.clock.suspend();
  }

  /** The whole machine sleeps: its monotonic time stands still, too. */
  suspendMachine(): void {
    this.clock.suspend({ isMachine: true });
  }

  /** Sets the wall clock of the machine. */
  setClock(byMs: number): void {
    this.clock.set(byMs);
  }

  /** Puts an object under the fencing number of a lease, as a save does. Throws what the store throws. */
  async putFenced(key: string, generation: number): Promise<void> {
    await this.store.put(key, Buffer.from('x'), { fence: { name: 'shop', generation } });
  }

  resume(): void {
    this.clock.resume();
  }

  kill(): void {
    this.isDead = true;
    this.clock.suspend();
  }

  #networkTo({ memory, hasTime }: StoreWorld): SessionStore {
    const { clock } = this;
    const pass = async <T>(call: () => Promise<T>, fault?: 'before' | 'after'): Promise<T> => {
      await clock.running();
      if (this.network === 'cut' || fault === 'before') throw new StoreError('the network is cut');
      const answer = await call();
      if (this.network === 'deaf' || fault === 'after') throw new StoreError('the answer is lost');
      await clock.running();
      return answer;
    };
    const capabilities = { ...memory.capabilities, serverTime: hasTime, fencedPut: hasTime };
    return {
      name: 'shared',
      capabilities,
      put: (key, body, options?: PutOptions) =>
        pass(() => memory.put(key, body, options), this.fault('put', key)),
      get: (key, options) => pass(() => memory.get(key, options), this.fault('get', key)),
      head: (key, options) => pass(() => memory.head(key, options)),
      list: (prefix, options) => memory.list(prefix, options),
      delete: (key, options) => pass(() => memory.delete(key, options), this.fault('delete', key)),
      ...(hasTime && { serverTime: () => pass(() => memory.serverTime()) }),
    };
  }
}
