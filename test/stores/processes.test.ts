import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { readAll } from '../../src/testing/conformance/harness.js';
import { bundle } from '../support/bundle.js';
import { temporaryRoot } from './fixtures/temporary-root.js';

const PROCESSES = 4;

describe('several processes on one FileSystemStore', { timeout: 60_000 }, () => {
  it('lose no update of a counter', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    await store.put('counter', Buffer.from('0'));
    const exits = Array.from({ length: PROCESSES }, () => once(run('increment.ts', root, '40'), 'exit'));
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0, 0, 0]);
    expect(await counter(store)).toBe(PROCESSES * 40);
  });

  it('lose no update either when some of them are killed at it', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    await store.put('counter', Buffer.from('0'));
    let confirmed = 0;
    const children = Array.from({ length: PROCESSES }, (_, index) => {
      const child = run('increment.ts', root, '60');
      let mine = 0;
      lines(child).on('line', () => {
        confirmed++;
        // The first two die in the middle of it.
        if (++mine === 15 + index && index < 2) child.kill('SIGKILL');
      });
      return child;
    });
    const exits = await Promise.all(children.map((child) => once(child, 'close')));
    expect(exits.slice(2).map(([code]) => code)).toEqual([0, 0]);
    // A killed one may have got through and not have said so.
    expect(await counter(store)).toBeGreaterThanOrEqual(confirmed);
    expect(await counter(store)).toBeLessThanOrEqual(confirmed + 2);
    await store.sweepTemporaries();
    expect(await readdir(root)).toEqual(['counter']);
  });

  it('have one winner of racing ifAbsent puts, and its value', async () => {
    const { root } = await temporaryRoot();
    const winners = await race('claim.ts', root);
    expect(winners).toHaveLength(1);
    expect(await counter(new FileSystemStore(root), 'claim')).toBe(winners[0]);
  });

  it('have one winner of racing deletes of one version, and leave a later one alone', async () => {
    const { root } = await temporaryRoot();
    const store = new FileSystemStore(root);
    const { version } = await store.put('claim', Buffer.from('1'));
    expect(await race('remove.ts', root, version)).toHaveLength(1);
    expect(await store.head('claim')).toBeUndefined();
    await store.put('claim', Buffer.from('2'));
    expect(await race('remove.ts', root, version)).toEqual([]);
    expect(await counter(store, 'claim')).toBe(2);
  });
});

/** Lets all processes try at once. Returns the pids of those that won. */
async function race(script: string, ...args: string[]): Promise<(number | undefined)[]> {
  const children = Array.from({ length: PROCESSES }, () => run(script, ...args));
  const readers = children.map((child) => lines(child)[Symbol.asyncIterator]());
  const nextLines = () => Promise.all(readers.map(async (reader) => (await reader.next()).value as string));
  expect(new Set(await nextLines())).toEqual(new Set(['ready']));
  for (const child of children) child.stdin?.write('go\n');
  const outcomes = await nextLines();
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  return children.filter((_, index) => outcomes[index] === 'won').map(({ pid }) => pid);
}

function run(script: string, ...args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(`./fixtures/${script}`, import.meta.url));
  const child = spawn(process.execPath, [...bundle(path), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function lines({ stdout }: ChildProcess) {
  if (stdout === null) throw new Error('the child has no stdout');
  return createInterface({ input: stdout });
}

async function counter(store: FileSystemStore, key = 'counter'): Promise<number> {
  const found = await store.get(key);
  if (found === undefined) throw new Error('missing');
  return Number(String(await readAll(found.body)));
}
