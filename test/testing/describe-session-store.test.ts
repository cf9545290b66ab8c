import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import type {
  DeleteOptions,
  GetOptions,
  PutOptions,
  SessionStore,
  StoredObject,
} from '../../src/stores/session-store.js';
import { MemoryStore, type StoreExpectations } from '../../src/testing/index.js';
import { IN_MEMORY, verdicts } from './support/verdicts.js';

describe('the conformance suite', () => {
  it('passes a sound store, and disposes of each fixture', async () => {
    let open = 0;
    const { failed, passed } = await verdicts(() => {
      open++;
      return { store: new MemoryStore(), dispose: () => open-- };
    });
    expect(failed).toEqual([]);
    expect(passed.length).toBeGreaterThan(25);
    expect(open).toBe(0);
  });

  it.each<[what: string, broken: () => SessionStore, caughtBy: RegExp]>([
    ['takes an outage for a missing session', () => new Forgetful(), /throws when it is down/],
    ['ignores conditions', () => new Unconditional(), /one winner of 20 racing/],
    ['looks before it puts, but not at once', () => new Racing(), /one winner of 20 racing/],
    ['ignores the announced size', () => new Sizeless(), /announced as 99/],
    ['keeps what came before the source failed', () => new Torn(), /the source fails/],
    ['ignores signals', () => new Deaf(), /aborted before/],
    ['takes any key', () => new Trusting(), /refuses dangerous keys/],
    ['lists by folder only', () => new FolderLister(), /ends within a name/],
    ['never changes the version', () => new Versionless(), /changes its version/],
    ['is not sure what it deleted', () => new AlwaysDeleted(), /deletes once/],
    ['lists one page only', () => new OnePage(), /more than 1,000/],
    ['ignores ranges and says that it keeps them', () => new Rangeless(), /its middle/],
    ['tells the size of the part', () => new PartSized(), /its start/],
    ['mixes versions', () => new AnyVersion(), /one version, or a conflict/],
    ['never compares a digest and says that it does', () => new Believing(), /another digest/],
    ['compares a digest when the value is in place', () => new Late(), /another digest/],
    ['deletes any version', () => new AnyDelete(), /only the version that is meant/],
    ['answers deleteMany without what was missing', () => new Terse(), /content with what is not/],
    ['stops deleteMany at the first error', () => new Stopping(), /dangerous key/],
    ['ignores fences', () => new Fenceless(), /followed by another one/],
    ['looks at a fence before it writes', () => new EarlyFence(), /paused in its midst/],
    ['tells seconds for milliseconds', () => new Seconds(), /time of the server/],
  ])('catches a store that %s', async (_, broken, caughtBy) => {
    const { failed } = await verdicts(
      () => {
        const store = broken();
        return { store, breakDown: () => (store as MemoryStore).setDown(true) };
      },
      { ...IN_MEMORY, breakDown: true },
    );
    expect(failed.join('\n')).toMatch(caughtBy);
  });

  it.each<[what: string, expects: StoreExpectations]>([
    ['conditions', { conditionalPut: false }],
    ['a limit', { maxObjectBytes: 1000 }],
    ['putFile', { putFile: true }],
    ['localPath', { localPath: true }],
    ['conditional deletes', { conditionalDelete: false }],
    ['fences', { fencedPut: false }],
    ['its time', { serverTime: false }],
    ['deleteMany', { deleteMany: false }],
  ])('catches a store that declares something else about %s', async (_, expects) => {
    const { failed } = await verdicts(() => new MemoryStore(), { ...IN_MEMORY, ...expects });
    expect(failed.join('\n')).toMatch(/declares what it can do/);
  });

  it.each<[what: string, expects: StoreExpectations, caughtBy: RegExp]>([
    ['ranges', { ranges: false }, /ignores ranges, and says so/],
    ['who compares', { verifiedBy: 'readback' }, /compares 1 bytes/],
    ['that nobody compares', { verifiedBy: undefined }, /never says that it has compared/],
  ])(
    'catches a store that answers something else than it declares about %s',
    async (_, expects, caughtBy) => {
      const { failed } = await verdicts(() => new MemoryStore(), { ...IN_MEMORY, ...expects });
      expect(failed.join('\n')).toMatch(caughtBy);
    },
  );

  it('catches a store that has 60 MB in memory at one time', { timeout: 120_000 }, async () => {
    const measured = { ...IN_MEMORY, inMemory: false };
    const { reasons } = await verdicts(() => new MemoryStore(), measured, { only: 'memory' });
    expect(reasons.join()).toMatch(/put of 60 MB had \d\d+ MB in memory/);
  });

  it('asks a store without conditional puts to refuse conditions, and nothing more of it', async () => {
    const { failed, passed } = await verdicts(() => new Simple(), { conditionalPut: false, inMemory: true });
    expect(failed).toEqual([]);
    expect(passed.join('\n')).toMatch(/refuses conditions that it could not keep/);
    expect(passed.join('\n')).not.toMatch(/racing/);
  });

  it('is adopted by node:test in less than 20 lines', { timeout: 30_000 }, async () => {
    const path = fileURLToPath(new URL('./fixtures/adoption.ts', import.meta.url));
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThan(20);
    const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter=tap', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    const output = await text(child.stdout);
    expect(output).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(25);
  });

  it('needs no test runner of its own', async () => {
    const folder = fileURLToPath(new URL('../../src/testing/', import.meta.url));
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
    for (const name of names) {
      const source = await readFile(folder + name, 'utf8');
      const imported = [...source.matchAll(/^(?:import|export)[^;]*? from '([^']+)';$/gms)].map(
        ([, from]) => from,
      );
      for (const from of imported) expect(from, name).toMatch(/^(node:(?!test)|\.\.?\/)/);
    }
  });
});

class Forgetful extends MemoryStore {
  override get(...args: Parameters<MemoryStore['get']>) {
    return super.get(...args).catch(() => undefined);
  }
}

class Unconditional extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { size, signal }: PutOptions = {}) {
    return super.put(key, body, { ...(size !== undefined && { size }), ...(signal && { signal }) });
  }
}

class Racing extends Unconditional {
  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    const current = await this.head(key);
    if (current === undefined || options.ifAbsent !== true) return super.put(key, body, options);
    return new MemoryStore().put(key, body, { ifVersion: 'conflict' });
  }
}

class Sizeless extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { size: _, ...options }: PutOptions = {}) {
    return super.put(key, body, options);
  }
}

class Torn extends MemoryStore {
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

class Deaf extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { signal: _, ...options }: PutOptions = {}) {
    // A stalled source would make the suite wait for ever; this store is deaf only to signals of before.
    return super.put(key, body, _?.aborted ? options : { ...options, ...(_ && { signal: _ }) });
  }
}

class Trusting extends MemoryStore {
  override head(key: string, options = {}) {
    return super.head(/^[a-z/]+$/.test(key) ? key : 'a', options);
  }
}

class FolderLister extends MemoryStore {
  override list(prefix: string, options = {}) {
    return super.list(prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`, options);
  }
}

class Versionless extends MemoryStore {
  override async put(...args: Parameters<MemoryStore['put']>) {
    return { ...(await super.put(...args)), version: '1' };
  }
}

class AlwaysDeleted extends MemoryStore {
  override async delete(...args: Parameters<MemoryStore['delete']>) {
    await super.delete(...args);
    return true;
  }
}

class OnePage extends MemoryStore {
  override async *list(prefix: string, options = {}) {
    let left = 1_000;
    for await (const info of super.list(prefix, options)) if (left-- > 0) yield info;
  }
}

class Rangeless extends MemoryStore {
  override async get(key: string, { range, ...options }: GetOptions = {}): Promise<StoredObject | undefined> {
    const found = await super.get(key, options);
    return found && { ...found, ...(range && { range }) };
  }
}

class PartSized extends MemoryStore {
  override async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const found = await super.get(key, options);
    return found && { ...found, info: { ...found.info, size: options.range?.length ?? found.info.size } };
  }
}

class AnyVersion extends MemoryStore {
  override get(key: string, { ifVersion: _, ...options }: GetOptions = {}) {
    return super.get(key, options);
  }
}

class Believing extends MemoryStore {
  override async put(key: string, body: Uint8Array | Readable, { digest, ...options }: PutOptions = {}) {
    const put = await super.put(key, body, options);
    return digest === undefined ? put : { ...put, verifiedBy: 'server' as const };
  }
}

class Late extends Believing {
  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    const put = await super.put(key, body, options);
    const { bytes } = { bytes: (await (await this.get(key))?.body.toArray()) ?? [] };
    const found = createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
    if (options.digest !== undefined && options.digest.sha256 !== found) throw new StoreError('other bytes');
    return put;
  }
}

class AnyDelete extends MemoryStore {
  override delete(key: string, { ifVersion: _, ...options }: DeleteOptions = {}) {
    return super.delete(key, options);
  }
}

class Terse extends MemoryStore {
  override async deleteMany(keys: readonly string[], options = {}) {
    const there = await Promise.all(keys.map(async (key) => ((await this.head(key)) ? [key] : [])));
    return super.deleteMany(there.flat(), options);
  }
}

class Stopping extends MemoryStore {
  override async deleteMany(keys: readonly string[], options = {}) {
    for (const key of keys) await this.delete(key, options);
    return keys.map((key) => ({ key }));
  }
}

class Fenceless extends MemoryStore {
  override put(key: string, body: Uint8Array | Readable, { fence: _, ...options }: PutOptions = {}) {
    return super.put(key, body, options);
  }
}

class EarlyFence extends MemoryStore {
  override async put(key: string, body: Uint8Array | Readable, { fence, ...options }: PutOptions = {}) {
    if (fence !== undefined) await super.put('fence', Buffer.from(''), { fence });
    if (fence !== undefined) await super.delete('fence');
    return super.put(key, body, options);
  }
}

class Seconds extends MemoryStore {
  override async serverTime(options = {}) {
    return Math.floor((await super.serverTime(options)) / 1000);
  }
}

/** As somebody writes it who has read the smallest contract only. */
class Simple implements SessionStore {
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
