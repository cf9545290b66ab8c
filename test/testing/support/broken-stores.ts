// Stores that break one rule of the contract each, and one that keeps only the smallest.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { StoreError } from '../../../src/errors.js';
import type {
  DeleteOptions,
  GetOptions,
  PutOptions,
  SessionStore,
  StoredObject,
} from '../../../src/stores/session-store.js';
import { MemoryStore } from '../../../src/testing/index.js';

export class Forgetful extends MemoryStore {
  override get(...args: Parameters<MemoryStore['get']>) {
    return super.get(...args).catch(() => undefined);
  }
}

export class Unconditional extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { size, signal }: PutOptions = {}) {
    return super.put(key, body, { ...(size !== undefined && { size }), ...(signal && { signal }) });
  }
}

export class Racing extends Unconditional {
  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    const current = await this.head(key);
    if (current === undefined || options.ifAbsent !== true) return super.put(key, body, options);
    return new MemoryStore().put(key, body, { ifVersion: 'conflict' });
  }
}

export class Sizeless extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { size: _, ...options }: PutOptions = {}) {
    return super.put(key, body, options);
  }
}

export class Torn extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, options?: PutOptions) {
    if (body instanceof Uint8Array) return super.put(key, body, options);
    async function* whatComes(source: Readable) {
      try {
        for await (const chunk of source) yield chunk;
      } catch {
        // enough
      }
    }
    return super.put(key, Readable.from(whatComes(body), { objectMode: false }), options);
  }
}

export class Deaf extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { signal: _, ...options }: PutOptions = {}) {
    // A stalled source would make the suite wait for ever; this store is deaf only to signals of before.
    return super.put(key, body, _?.aborted ? options : { ...options, ...(_ && { signal: _ }) });
  }
}

export class Trusting extends MemoryStore {
  override head(key: string, options = {}) {
    return super.head(/^[a-z/]+$/.test(key) ? key : 'a', options);
  }
}

export class FolderLister extends MemoryStore {
  override list(prefix: string, options = {}) {
    return super.list(prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`, options);
  }
}

export class Versionless extends MemoryStore {
  override async put(...args: Parameters<MemoryStore['put']>) {
    return { ...(await super.put(...args)), version: '1' };
  }
}

export class AlwaysDeleted extends MemoryStore {
  override async delete(...args: Parameters<MemoryStore['delete']>) {
    await super.delete(...args);
    return true;
  }
}

export class OnePage extends MemoryStore {
  override async *list(prefix: string, options = {}) {
    let left = 1_000;
    for await (const info of super.list(prefix, options)) if (left-- > 0) yield info;
  }
}

export class Rangeless extends MemoryStore {
  override async get(key: string, { range, ...options }: GetOptions = {}): Promise<StoredObject | undefined> {
    const found = await super.get(key, options);
    return found && { ...found, ...(range && { range }) };
  }
}

export class PartSized extends MemoryStore {
  override async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const found = await super.get(key, options);
    return found && { ...found, info: { ...found.info, size: options.range?.length ?? found.info.size } };
  }
}

export class AnyVersion extends MemoryStore {
  override get(key: string, { ifVersion: _, ...options }: GetOptions = {}) {
    return super.get(key, options);
  }
}

export class Believing extends MemoryStore {
  override async put(key: string, body: Uint8Array | Readable, { digest, ...options }: PutOptions = {}) {
    const put = await super.put(key, body, options);
    return digest === undefined ? put : { ...put, verifiedBy: 'server' as const };
  }
}

export class Late extends Believing {
  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    const put = await super.put(key, body, options);
    const { bytes } = { bytes: (await (await this.get(key))?.body.toArray()) ?? [] };
    const found = createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
    if (options.digest !== undefined && options.digest.sha256 !== found) throw new StoreError('other bytes');
    return put;
  }
}

export class AnyDelete extends MemoryStore {
  override delete(key: string, { ifVersion: _, ...options }: DeleteOptions = {}) {
    return super.delete(key, options);
  }
}

export class Terse extends MemoryStore {
  override async deleteMany(keys: readonly string[], options = {}) {
    const there = await Promise.all(keys.map(async (key) => ((await this.head(key)) ? [key] : [])));
    return super.deleteMany(there.flat(), options);
  }
}

export class Stopping extends MemoryStore {
  override async deleteMany(keys: readonly string[], options = {}) {
    for (const key of keys) await this.delete(key, options);
    return keys.map((key) => ({ key }));
  }
}

export class Fenceless extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { fence: _, ...options }: PutOptions = {}) {
    return super.put(key, body, options);
  }
}

export class EqualFence extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { fence, ...options }: PutOptions = {}) {
    return super.put(key, body, { ...options, ...(fence && { fence: { ...fence, isNew: false } }) });
  }
}

export class EarlyFence extends MemoryStore {
  override async put(key: string, body: Uint8Array | Readable, { fence, ...options }: PutOptions = {}) {
    if (fence !== undefined) await super.put('fence', Buffer.from(''), { fence });
    if (fence !== undefined) await super.delete('fence');
    return super.put(key, body, options);
  }
}

export class Seconds extends MemoryStore {
  override async serverTime(options = {}) {
    return Math.floor((await super.serverTime(options)) / 1000);
  }
}

/** As somebody writes it who has read the smallest contract only. */
export class Simple implements SessionStore {
  readonly name = 'simple';
  readonly capabilities = { conditionalPut: false };
  readonly #values = new MemoryStore();

  put(key: string, body: Uint8Array | Readable, { size, signal, ifAbsent, ifVersion }: PutOptions = {}) {
    const conditional = ifAbsent !== undefined || ifVersion !== undefined;
    const refused = conditional && { ifAbsent: true, ifVersion: 'refuse both' };
    return this.#values.put(key, body, {
      ...(size !== undefined && { size }),
      ...(signal && { signal }),
      ...refused,
    });
  }
  get(key: string, { signal }: GetOptions = {}) {
    return this.#values.get(key, signal && { signal });
  }
  head(key: string, options = {}) {
    return this.#values.head(key, options);
  }
  list(prefix: string, options = {}) {
    return this.#values.list(prefix, options);
  }
  delete(key: string, { signal }: DeleteOptions = {}) {
    return this.#values.delete(key, signal && { signal });
  }
}
