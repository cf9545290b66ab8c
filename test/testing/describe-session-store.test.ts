import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { SessionStore } from '../../src/stores/session-store.js';
import { MemoryStore, type StoreExpectations } from '../../src/testing/index.js';
import { bundle } from '../support/bundle.js';
import * as broken from './support/broken-stores.js';
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

  it.each<[what: string, make: () => SessionStore, caughtBy: RegExp]>([
    ['takes an outage for a missing session', () => new broken.Forgetful(), /throws when it is down/],
    ['ignores conditions', () => new broken.Unconditional(), /one winner of 20 racing/],
    ['looks before it puts, but not at once', () => new broken.Racing(), /one winner of 20 racing/],
    ['ignores the announced size', () => new broken.Sizeless(), /announced as 99/],
    ['keeps what came before the source failed', () => new broken.Torn(), /the source fails/],
    ['ignores signals', () => new broken.Deaf(), /aborted before/],
    ['takes any key', () => new broken.Trusting(), /refuses dangerous keys/],
    ['lists by folder only', () => new broken.FolderLister(), /ends within a name/],
    ['never changes the version', () => new broken.Versionless(), /changes its version/],
    ['is not sure what it deleted', () => new broken.AlwaysDeleted(), /deletes once/],
    ['lists one page only', () => new broken.OnePage(), /more than 1,000/],
    ['ignores ranges and says that it keeps them', () => new broken.Rangeless(), /its middle/],
    ['tells the size of the part', () => new broken.PartSized(), /its start/],
    ['mixes versions', () => new broken.AnyVersion(), /one version, or a conflict/],
    ['never compares a digest and says that it does', () => new broken.Believing(), /another digest/],
    ['compares a digest when the value is in place', () => new broken.Late(), /another digest/],
    ['deletes any version', () => new broken.AnyDelete(), /only the version that is meant/],
    ['answers deleteMany without what was missing', () => new broken.Terse(), /content with what is not/],
    ['stops deleteMany at the first error', () => new broken.Stopping(), /dangerous key/],
    ['ignores fences', () => new broken.Fenceless(), /followed by another one/],
    ['lets two owners begin one generation', () => new broken.EqualFence(), /begin once/],
    ['looks at a fence before it writes', () => new broken.EarlyFence(), /paused in its midst/],
    ['tells seconds for milliseconds', () => new broken.Seconds(), /time of the server/],
  ])('catches a store that %s', async (_, make, caughtBy) => {
    const { failed } = await verdicts(
      () => {
        const store = make();
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
    const { failed, passed } = await verdicts(() => new broken.Simple(), {
      conditionalPut: false,
      inMemory: true,
    });
    expect(failed).toEqual([]);
    expect(passed.join('\n')).toMatch(/refuses conditions that it could not keep/);
    expect(passed.join('\n')).not.toMatch(/racing/);
  });

  it('is adopted by node:test in less than 20 lines', { timeout: 30_000 }, async () => {
    const path = fileURLToPath(new URL('./fixtures/adoption.ts', import.meta.url));
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThan(20);
    const child = spawn(process.execPath, ['--test-reporter=tap', ...bundle(path)], {
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
