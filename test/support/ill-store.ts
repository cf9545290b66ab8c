import { type Clock, sleep } from '../../src/clock.js';
import { MemoryStore } from '../../src/testing/memory-store.js';

/** The faults of a store: it answers nothing, answers late, or refuses. */
export type Illness = 'hangs' | 'slow' | 'refuses';

const SLOW_MS = 3000;

/** An in-memory store that becomes faulty and recovers; after that, hanging calls can continue late. */
export class IllStore extends MemoryStore {
  readonly calls: string[] = [];
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #illness: Illness | undefined;

  constructor(name: string, clock: Clock) {
    super({ name, clock });
    this.#clock = clock;
  }

  fall(illness: Illness): void {
    this.#illness = illness;
    this.setDown(illness === 'refuses');
  }

  /** Forgets hanging calls, as after a lost connection, or answers them late with `answer`. */
  recover({ answer = false } = {}): void {
    this.#illness = undefined;
    this.setDown(false);
    if (answer) for (const goOn of this.#waiting) goOn();
    this.#waiting.clear();
  }

  override async put(...given: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
    const [key, body, { signal: _, ...options } = {}] = given;
    await this.#turn(`put ${key}`);
    return super.put(key, body, options);
  }

  override async get(...given: Parameters<MemoryStore['get']>): ReturnType<MemoryStore['get']> {
    const [key, { signal: _, ...options } = {}] = given;
    await this.#turn(`get ${key}`);
    return super.get(key, options);
  }

  override async head(...given: Parameters<MemoryStore['head']>): ReturnType<MemoryStore['head']> {
    await this.#turn(`head ${given[0]}`);
    return super.head(given[0]);
  }

  override async *list(...given: Parameters<MemoryStore['list']>): ReturnType<MemoryStore['list']> {
    await this.#turn(`list ${given[0]}`);
    yield* super.list(given[0]);
  }

  override async delete(...given: Parameters<MemoryStore['delete']>): ReturnType<MemoryStore['delete']> {
    const [key, { signal: _, ...options } = {}] = given;
    await this.#turn(`delete ${key}`);
    return super.delete(key, options);
  }

  override async deleteMany(...[keys]: Parameters<MemoryStore['deleteMany']>) {
    await this.#turn(`deleteMany ${keys.length}`);
    return super.deleteMany(keys);
  }

  override async serverTime() {
    await this.#turn('serverTime');
    return super.serverTime();
  }

  async #turn(call: string): Promise<void> {
    this.calls.push(call);
    if (this.#illness === 'slow') await sleep(this.#clock, SLOW_MS);
    if (this.#illness === 'hangs') await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}
