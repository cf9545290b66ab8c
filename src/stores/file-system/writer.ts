import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { errnoOf } from '../../errors.js';
import { processNamespace } from '../../processes.js';

/** The process that created a temporary file or a lock. */
export interface Writer {
  /** Identifies the machine (and boot, and container) in which `pid` is valid, without revealing anything about it. */
  readonly host: string;
  readonly pid: number;
}

let self: Promise<Writer> | undefined;

/** This process. */
export function thisWriter(): Promise<Writer> {
  self ??= identify();
  return self;
}

/**
 * Whether this writer is proven dead, which is only possible for a process in our own process table. In doubt the
 * answer is no, also if another process may have got the same pid since; then only the age decides.
 */
export async function isProvenDead(writer: Writer | undefined): Promise<boolean> {
  if (writer === undefined || writer.host !== (await thisWriter()).host) return false;
  try {
    process.kill(writer.pid, 0);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
}

async function identify(): Promise<Writer> {
  // Two containers may share a host name and a volume, but a pid of one means nothing in the other.
  const processes = (await processNamespace()) ?? `unknown ${process.pid} ${performance.timeOrigin}`;
  const host = createHash('sha256').update(`${hostname()} ${processes}`).digest('hex').slice(0, 12);
  return { host, pid: process.pid };
}
