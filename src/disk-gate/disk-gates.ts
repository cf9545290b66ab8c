import { dirname, sep } from 'node:path';
import { Lane } from './lane.js';

/** Node works on all files of a process in so many threads; its documented default is 4. */
const THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;
/** Two threads are left: one for the worker's own way to the same folder, and one for the rest of the process. */
const WIDTH = Math.max(1, THREADS - 2);

/** More folders than a process has sessions; the limit for a process that keeps making clients in new folders. */
const MAX_FOLDERS = 10_000;

/**
 * The gates of one thread, for the folders of all its sessions. Sessions that share a folder share its gate, because
 * a disk that hangs for one of them hangs for all.
 */
export class DiskGates {
  readonly #gates = new Map<string, Lane>();
  readonly #width: number;

  /** @param width how many calls at a time are under way in one folder */
  constructor(width = WIDTH) {
    this.#width = width;
  }

  /** @param folder absolute */
  add(folder: string, gate?: Lane): void {
    // A gate at the root would be that of everything.
    if (this.#gates.has(folder) || dirname(folder) === folder || this.#gates.size >= MAX_FOLDERS) return;
    this.#gates.set(folder, gate ?? new Lane(this.#width));
  }

  /** The gate on the way to `path`, and the folder it belongs to: of folders in one another the outermost counts. */
  of(path: string): { readonly folder: string; readonly gate: Lane } | undefined {
    let found: { readonly folder: string; readonly gate: Lane } | undefined;
    for (const [folder, gate] of this.#gates) {
      if ((found === undefined || folder.length < found.folder.length) && isWithin(folder, path)) {
        found = { folder, gate };
      }
    }
    return found;
  }
}

/** Whether `path` is `folder`, or lies below it, by their names. */
export function isWithin(folder: string, path: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === sep);
}
