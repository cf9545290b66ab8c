import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { SnapshotCorruptError } from '../../src/errors.js';
import { systemFileSystem } from '../../src/file-system.js';
import { packError } from '../../src/portable-error.js';
import { defineTask, type Task } from '../../src/task.js';
import { LIBRARY_VERSION } from '../../src/version.js';
import type { FromWorker } from '../../src/worker/protocol.js';
import { serveTasks } from '../../src/worker/serve-tasks.js';
import { TASKS } from '../../src/worker/tasks.js';

const tasks: readonly Task<unknown, unknown>[] = [
  defineTask('double', async (input) => (input as number) * 2),
  defineTask('fail', async () => {
    throw new SnapshotCorruptError('torn');
  }),
  defineTask('wait', (_input, { signal }) => {
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  }),
];

describe('the side of the worker', () => {
  const ports: MessagePort[] = [];
  afterEach(() => {
    for (const port of ports.splice(0)) port.close();
  });

  function serve() {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    const inbox: FromWorker[] = [];
    let wake: () => void = () => undefined;
    port1.on('message', (message: FromWorker) => {
      inbox.push(message);
      wake();
    });
    serveTasks(port2, new Map(tasks.map((task) => [task.name, task])), systemFileSystem);
    const next = async (): Promise<FromWorker | undefined> => {
      if (inbox.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return inbox.shift();
    };
    return { port: port1, next };
  }

  it('says that it is ready and of which version, then answers', async () => {
    const { port, next } = serve();
    expect(await next()).toEqual({ type: 'ready', version: LIBRARY_VERSION });
    port.postMessage({ type: 'run', id: 1, task: 'double', input: 21 });
    expect(await next()).toEqual({ type: 'done', id: 1, output: 42 });
    port.postMessage({ type: 'run', id: 2, task: 'fail', input: null });
    expect(await next()).toMatchObject({ type: 'failed', id: 2, error: { message: 'torn' } });
    port.postMessage({ type: 'run', id: 3, task: 'new', input: null });
    expect(await next()).toEqual({ type: 'unknown', id: 3 });
  });

  it('answers that it turns, also while a task waits', async () => {
    const { port, next } = serve();
    await next();
    port.postMessage({ type: 'run', id: 1, task: 'wait', input: null });
    port.postMessage({ type: 'ping' });
    expect(await next()).toEqual({ type: 'pong' });
  });

  it('aborts the task it is told to and ignores what has ended', async () => {
    const { port, next } = serve();
    await next();
    port.postMessage({ type: 'run', id: 1, task: 'wait', input: null });
    port.postMessage({ type: 'abort', id: 7, reason: packError(new Error('other')) });
    port.postMessage({ type: 'abort', id: 1, reason: packError(new Error('stopping')) });
    expect(await next()).toMatchObject({ type: 'failed', id: 1, error: { message: 'stopping' } });
  });
});

describe('the list of tasks', () => {
  it('has each under its own name', () => {
    for (const [name, task] of TASKS) expect(task.name).toBe(name);
    expect([...TASKS.keys()]).toContain('snapshot:hash-files');
  });
});
