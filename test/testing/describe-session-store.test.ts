import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { PutOptions, SessionStore } from '../../src/stores/session-store.js';
import { describeSessionStore, MemoryStore, type StoreExpectations } from '../../src/testing/index.js';

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
  ])('catches a store that %s', async (_, broken, caughtBy) => {
    const { failed } = await verdicts(
      () => {
        const store = broken();
        return { store, breakDown: () => (store as MemoryStore).setDown(true) };
      },
      { breakDown: true },
    );
    expect(failed.join('\n')).toMatch(caughtBy);
  });

  it.each<[what: string, expects: StoreExpectations]>([
    ['conditions', { conditionalPut: false }],
    ['a limit', { maxObjectBytes: 1000 }],
    ['putFile', { putFile: true }],
    ['localPath', { localPath: true }],
  ])('catches a store that declares something else about %s', async (_, expects) => {
    const { failed } = await verdicts(() => new MemoryStore(), expects);
    expect(failed.join('\n')).toMatch(/declares what it can do/);
  });

  it('asks a store without conditional puts to refuse conditions, and nothing more of it', async () => {
    const { failed, passed } = await verdicts(() => new Simple(), { conditionalPut: false });
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

/** Runs the suite without a runner. */
async function verdicts(
  factory: Parameters<typeof describeSessionStore>[1],
  expects: StoreExpectations = {},
) {
  const tests: { name: string; test: () => Promise<void> }[] = [];
  const collect = (name: string, test: () => Promise<void>) => tests.push({ name, test });
  describeSessionStore({ describe: (_, body) => body(), it: collect, expects }, factory);
  const passed: string[] = [];
  const failed: string[] = [];
  for (const { name, test } of tests) {
    await test().then(
      () => passed.push(name),
      () => failed.push(name),
    );
  }
  return { passed, failed };
}

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

class Simple extends MemoryStore {
  override readonly capabilities = { conditionalPut: false };
  override put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    const conditional = options.ifAbsent !== undefined || options.ifVersion !== undefined;
    return super.put(key, body, conditional ? { ifAbsent: true, ifVersion: 'refuse both' } : options);
  }
}
