import { systemClock } from '../clock.js';
import { DiskGates } from '../disk-gate/disk-gates.js';
import { gatedFileSystem } from '../disk-gate/gated-file-system.js';
import type { FileSystem } from '../file-system.js';
import { packError, unpackError } from '../portable-error.js';
import type { Task } from '../task.js';
import { LIBRARY_VERSION } from '../version.js';
import type { FromWorker, ToWorker } from './protocol.js';

/** The part of a `MessagePort` that is needed to serve tasks. */
export interface TaskPort {
  on(event: 'message', listener: (message: ToWorker) => void): unknown;
  postMessage(message: FromWorker): void;
}

/** The worker's side: runs the tasks that it receives, several at once, until the thread is ended. */
export function serveTasks(
  port: TaskPort,
  tasks: ReadonlyMap<string, Task<unknown, unknown>>,
  fs: FileSystem,
): void {
  const running = new Map<number, AbortController>();
  const gates = new DiskGates(1); // node's threads serve both, and the bot's thread has taken its share of them
  port.on('message', (message) => {
    if (message.type === 'ping') return port.postMessage({ type: 'pong' });
    if (message.type === 'abort') {
      running.get(message.id)?.abort(unpackError(message.reason));
      return;
    }
    const { id, input, gatedFolders: folders } = message;
    const task = tasks.get(message.task);
    if (task === undefined) return port.postMessage({ type: 'unknown', id });
    const abort = new AbortController();
    running.set(id, abort);
    const disk = folders ? gatedFileSystem(fs, { folders, clock: systemClock, gates }) : fs;
    const work = () => task.run(input, { fs: disk, clock: systemClock, signal: abort.signal });
    void answer(id, work).then((reply) => {
      running.delete(id);
      port.postMessage(reply);
    });
  });
  port.postMessage({ type: 'ready', version: LIBRARY_VERSION });
}

async function answer(id: number, work: () => Promise<unknown>): Promise<FromWorker> {
  try {
    return { type: 'done', id, output: await work() };
  } catch (error) {
    return { type: 'failed', id, error: packError(error) };
  }
}
