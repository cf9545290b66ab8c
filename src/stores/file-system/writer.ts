import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { errnoOf } from '../../errors.js';
import { processNamespace } from '../../processes.js';

/** Who made a temporary file or a lock. */
export interface Writer {
  /** Names the machine (and boot, and container) whose process numbers `pid` belongs to; says nothing of it. */
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
 * Whether this writer is proven dead: only a process of our own table of processes can be. In doubt it lives; a pid
 * that was given away to another process meanwhile is such a doubt, and then the time decides.
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
  // Two containers may share the name of their host and a volume: their pids say nothing to each other.
  const processes = (await processNamespace()) ?? `unknown ${process.pid} ${performance.timeOrigin}`;
  const host = createHash('sha256').update(`${hostname()} ${processes}`).digest('hex').slice(0, 12);
  return { host, pid: process.pid };
}
