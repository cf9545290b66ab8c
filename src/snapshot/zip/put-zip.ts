import { MessageChannel } from 'node:worker_threads';
import { receiveBytes } from '../../byte-channel.js';
import { type Clock, resultWithin } from '../../clock.js';
import { ClosedError } from '../../errors.js';
import type { PutOptions, PutResult, SessionStore } from '../../stores/session-store.js';
import type { TaskRunner } from '../../task.js';
import { putStream } from '../store-calls/store-bytes.js';
import { writeZipTask, type ZipContent } from './zip-writer.js';

/** How long a writer that is told to stop is waited for, ms; its folder is removed afterwards. */
const STOP_MS = 5_000;

interface ZipDestination {
  readonly store: SessionStore;
  readonly runner: TaskRunner;
  readonly clock: Clock;
  /** Throws unless the session is ours at this moment. */
  readonly assertMayWrite?: (() => void) | undefined;
}

/**
 * Puts a zip into a store while it is written, perhaps in another thread. A zip that is not whole never becomes visible:
 * when the writer fails, or the session is no longer ours, the stream ends with that error, and the put fails with it.
 *
 * @returns what the store tells, and the number of bytes that were sent; `undefined` if it did not take them all
 * @throws the writer's own error, or that of the lost session; else the store's
 */
export async function putZip(
  { store, runner, clock, assertMayWrite }: ZipDestination,
  key: string,
  content: ZipContent,
  options: PutOptions,
): Promise<{ readonly info: PutResult; readonly size: number | undefined }> {
  let failure: unknown;
  const { port1, port2 } = new MessageChannel();
  const body = receiveBytes(port1, () => {
    try {
      assertMayWrite?.();
    } catch (error) {
      failure ??= error;
      throw error;
    }
  });
  const ending = new AbortController();
  const onAbort = () => ending.abort(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const { maxObjectBytes } = store.capabilities;
  const input = { ...content, to: port2, ...(maxObjectBytes !== undefined && { maxBytes: maxObjectBytes }) };
  const writing = runner.run(writeZipTask, input, { signal: ending.signal, transfer: [port2] });
  writing.catch((error: Error) => {
    failure ??= error;
    body.destroy(error);
  });
  try {
    const info = await putStream(store, key, body, options);
    if (!body.readableEnded) body.destroy();
    const { size } = await writing;
    return { info, size };
  } catch (error) {
    throw failure ?? error;
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    body.destroy();
    ending.abort(new ClosedError('the zip is not wanted any more'));
    await resultWithin(clock, STOP_MS, writing).catch(() => undefined);
  }
}
