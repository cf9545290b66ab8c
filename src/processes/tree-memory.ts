import { listDescendants } from './identity.js';
import type { ProcessSource } from './process-entry.js';
import { processSource } from './process-source.js';

/** What a process and everything that descends from it take. */
export interface TreeMemory {
  /** Proportional (PSS) where the machine tells it, else resident: then what they share is counted for each. */
  readonly bytes: number;
  readonly processes: number;
}

/**
 * Adds up the memory of a process and its descendants; `undefined` when none of them tells.
 *
 * @throws the system's error when the machine does not tell of its processes
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
