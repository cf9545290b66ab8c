import { listDescendants } from './identity.js';
import type { ProcessSource } from './process-entry.js';
import { processSource } from './process-source.js';

/** The memory of a process and all its descendants. */
export interface TreeMemory {
  /** Proportional (PSS) when the machine reports it; else resident, where shared memory counts for each process. */
  readonly bytes: number;
  readonly processes: number;
}

/**
 * Adds up the memory of a process and its descendants; `undefined` when it is known for none of them.
 *
 * @throws the system's error when the machine does not report its processes
 */
export async function treeMemory(
  root: number,
  source: ProcessSource = processSource,
): Promise<TreeMemory | undefined> {
  const pids = [root, ...(await listDescendants(root, source)).map(({ pid }) => pid)];
  const each = [...(await source.memory(pids)).values()];
  if (each.length === 0) return undefined;
  return { bytes: each.reduce((sum, bytes) => sum + bytes, 0), processes: each.length };
}
