import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { bytesOf, digestOf, readAll } from '../../src/testing/conformance/harness.js';
import { failingFileSystem, ManualClock } from '../../src/testing/index.js';
import { memoryFileSystem } from './fixtures/temporary-root.js';

const OLD = bytesOf(500, 1);
const NEW = bytesOf(700, 2);
const KEY = 'shop/deep/note';

interface Scenario {
  readonly name: string;
  readonly before: Buffer | undefined;
  readonly after: Buffer | undefined;
  readonly act: (store: FileSystemStore, version: string) => Promise<unknown>;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'a first put', before: undefined, after: NEW, act: (store) => store.put(KEY, NEW) },
  { name: 'a put over an old value', before: OLD, after: NEW, act: (store) => store.put(KEY, pieces()) },
  {
    name: 'ifAbsent',
    before: undefined,
    after: NEW,
    act: (store) => store.put(KEY, pieces(), { ifAbsent: true }),
  },
  {
    name: 'ifVersion',
    before: OLD,
    after: NEW,
    act: (store, ifVersion) => store.put(KEY, NEW, { ifVersion }),
  },
  { name: 'putFile', before: OLD, after: NEW, act: (store) => store.putFile(KEY, '/source') },
  {
    name: 'a first putFile with ifAbsent',
    before: undefined,
    after: NEW,
    act: (store) => store.putFile(KEY, '/source', { ifAbsent: true }),
  },
  {
    name: 'a put with a digest',
    before: OLD,
    after: NEW,
    act: (store) => store.put(KEY, pieces(), { digest: digestOf(NEW) }),
  },
  {
    name: 'a putFile with a digest',
    before: OLD,
    after: NEW,
    act: (store) => store.putFile(KEY, '/source', { digest: digestOf(NEW) }),
  },
  { name: 'delete', before: OLD, after: undefined, act: (store) => store.delete(KEY) },
  {
    name: 'delete of one version',
    before: OLD,
    after: undefined,
    act: (store, ifVersion) => store.delete(KEY, { ifVersion }),
  },
];

const FAULTS = [
  { name: 'one call fails', times: 1 },
  { name: 'the process dies', times: Number.POSITIVE_INFINITY },
];

describe.each(FAULTS)('FileSystemStore, when $name', ({ times }) => {
  it.each(SCENARIOS)('at any moment of $name, has the old value or the new one', async (scenario) => {
    let failures = 0;
    for (let failOn = 1; ; failOn++) {
      const { disk, paths, version } = await prepare(scenario.before);
      const clock = new ManualClock();
      const faulty = failingFileSystem(disk, { failOn, times });
      const broken = new FileSystemStore('/rack', { fs: faulty, clock });

      const outcome = await settled(advance(clock, scenario.act(broken, version)));
      const label = `call ${failOn}: ${faulty.calls.at(-1)?.operation}`;
      const store = new FileSystemStore('/rack', { fs: disk, clock });
      const value = await valueIn(store);
      if ('error' in outcome) {
        failures++;
        expect(outcome.error, label).toMatchObject({ code: 'STORE', cause: { code: 'EIO' } });
        expect([scenario.before, scenario.after], label).toContainEqual(value);
      } else {
        expect(value, label).toEqual(scenario.after);
      }

      await store.sweepTemporaries(0);
      expect(
        paths().filter((path) => /\/\.[^/]*$/.test(path)),
        label,
      ).toEqual([]);
      await advance(clock, store.put(KEY, OLD));
      expect(await valueIn(store), label).toEqual(OLD);
      if (faulty.matchingCalls < failOn) break;
      expect(failOn).toBeLessThan(200);
    }
    expect(failures).toBeGreaterThan(4);
  });
});

describe('FileSystemStore, after a failed put', () => {
  it.each(['ENOSPC', 'EROFS', 'EDQUOT'])(
    'tells %s without the path, keeps the cause and no file',
    async (errno) => {
      const { disk, paths } = await prepare(OLD);
      const fs = failingFileSystem(disk, { operation: 'handle.write', failOn: 1, errno });
      const body = pieces();
      const { error } = await failed(new FileSystemStore('/rack', { fs }).put(KEY, body));
      expect(error).toMatchObject({ code: 'STORE', cause: { code: errno }, retryable: errno !== 'EROFS' });
      expect(String(error)).toContain(errno);
      expect(String(error)).not.toContain('/rack');
      expect(body.destroyed).toBe(true);
      expect(paths().sort()).toEqual([`/rack/${KEY}`, '/source']);
    },
  );

  it('leaves no folder that was made for it alone', async () => {
    const { disk, paths } = await prepare(undefined);
    const fs = failingFileSystem(disk, { operation: 'handle.sync', path: '.tmp-', failOn: 1 });
    await failed(new FileSystemStore('/rack', { fs }).put('a/b/c', NEW));
    expect(paths().sort()).toEqual(['/rack', '/source']);
  });

  it('flushes the value before it is renamed, and the folder after', async () => {
    const { disk } = await prepare(OLD);
    const fs = failingFileSystem(disk);
    await new FileSystemStore('/rack', { fs }).put(KEY, NEW);
    const steps = fs.calls
      .filter(({ operation }) => operation === 'handle.sync' || operation === 'rename')
      .map(({ operation, paths: [path] }) => `${operation} ${path?.includes('.tmp-') ? 'value' : path}`);
    expect(steps).toEqual(['handle.sync value', 'rename value', 'handle.sync /rack/shop/deep']);
  });

  it('flushes the names of new folders, outermost first, before anything lies in them', async () => {
    const { fs: disk } = memoryFileSystem();
    const fs = failingFileSystem(disk);
    await new FileSystemStore('/rack', { fs }).put('a/b', NEW);
    const steps = fs.calls
      .filter(({ operation }) => operation === 'handle.sync' || operation === 'mkdir')
      .map(({ operation, paths: [path] }) => `${operation} ${path?.includes('.tmp-') ? 'value' : path}`);
    expect(steps).toEqual([
      'mkdir /rack',
      'handle.sync /',
      'mkdir /rack/a',
      'handle.sync /rack',
      'handle.sync value',
      'handle.sync /rack/a',
    ]);
  });

  it('makes the copy of a read-only file its own before it opens it', async () => {
    const { disk } = await prepare(OLD);
    const fs = failingFileSystem(disk, { path: '.tmp-' });
    await new FileSystemStore('/rack', { fs }).putFile(KEY, '/source');
    const steps = fs.calls.filter(({ paths }) => paths.some((path) => path.includes('.tmp-')));
    expect(steps.slice(0, 3).map(({ operation }) => operation)).toEqual(['copyFile', 'chmod', 'open']);
  });

  it.each(['EPERM', 'EINVAL', 'EISDIR', 'ENOTSUP'])(
    'does not mind folders that answer a flush with %s',
    async (errno) => {
      const { disk } = await prepare(OLD);
      const fs = failingFileSystem(disk, { operation: 'handle.sync', path: /deep$/, failOn: 1, errno });
      const store = new FileSystemStore('/rack', { fs });
      await store.put(KEY, NEW);
      expect(fs.matchingCalls).toBe(1);
      expect(await valueIn(store)).toEqual(NEW);
    },
  );
});

async function prepare(before: Buffer | undefined) {
  const { fs: disk, paths } = memoryFileSystem();
  await disk.promises.writeFile('/source', NEW);
  const store = new FileSystemStore('/rack', { fs: disk, clock: new ManualClock() });
  const info = before && (await store.put(KEY, before));
  if (before === undefined) await disk.promises.mkdir('/rack');
  return { disk: disk as FileSystem, paths, version: info?.version ?? 'none' };
}

function pieces(): Readable {
  return Readable.from([NEW.subarray(0, 300), NEW.subarray(300)], { objectMode: false });
}

async function valueIn(store: FileSystemStore): Promise<Buffer | undefined> {
  const found = await store.get(KEY);
  return found && readAll(found.body);
}

async function settled(work: Promise<unknown>): Promise<{ error: unknown } | { value: unknown }> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

async function failed(work: Promise<unknown>): Promise<{ error: unknown }> {
  const outcome = await settled(work);
  if ('error' in outcome) return outcome;
  throw new Error('succeeded');
}

/** Everything is in memory: nothing to wait for. */
function advance<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  return clock.advanceUntil(work, { patienceMs: 1 });
}
