import { describe, it } from 'vitest';
import { type KeyValue, KvStore } from '../../examples/custom-store/kv-store.js';
import { describeSessionStore } from '../../src/testing/describe-session-store.js';

/** A database in memory that can be down. */
class MapDatabase implements KeyValue {
  readonly #values = new Map<string, Uint8Array>();
  isDown = false;

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#assertUp();
    return this.#values.get(key);
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    this.#assertUp();
    this.#values.set(key, Uint8Array.from(value));
  }

  async delete(key: string): Promise<boolean> {
    this.#assertUp();
    return this.#values.delete(key);
  }

  async keys(prefix: string): Promise<readonly string[]> {
    this.#assertUp();
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix));
  }

  #assertUp(): void {
    if (this.isDown) throw new Error('connection refused');
  }
}

const expects = { conditionalPut: false, breakDown: true, inMemory: true };

describeSessionStore({ describe, it, name: 'KvStore', expects }, () => {
  const db = new MapDatabase();
  return {
    store: new KvStore(db),
    breakDown: async () => {
      db.isDown = true;
    },
  };
});
