/** The processes of this machine. There is one file per operating system in `processes/`. */
export { endProcessTree } from './processes/end-process-tree.js';
export {
  commandLine,
  identityOf,
  isSameProcessAlive,
  listDescendants,
  type ProcessIdentity,
  processNamespace,
  selfIdentity,
} from './processes/identity.js';
export type { ProcessEntry, ProcessSource } from './processes/process-entry.js';
export { processSourceOf } from './processes/process-source.js';
export { type TreeMemory, treeMemory } from './processes/tree-memory.js';
