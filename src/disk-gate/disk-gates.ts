import { dirname, sep } from 'node:path';
import { Lane } from './lane.js';

/** The ways to one folder. What takes long (a copy, a flush) does not hold up what is over at once (a heartbeat). */
export interface DiskGate {
  readonly quick: Lane;
  readonly long: Lane;
}

/** More folders than a process has sessions; a bound, for one that makes clients in ever new folders. */
const MAX_FOLDERS = 10_000;

/**
 * The ways of one thread to the folders of all its sessions. Sessions with a folder in common share its gate: what hangs
 * for one hangs for all of them.
 */
export class DiskGates {
  readonly #gates = new Map<string, DiskGate>();
  readonly #makeGate: () => DiskGate;

  /** @param makeGate default: of two lanes */
  constructor(makeGate: () => DiskGate = () => ({ quick: new Lane(), long: new Lane() })) {
    this.#makeGate = makeGate;
  }

  /** @param folder absolute */
  add(folder: string, gate?: DiskGate): void {
    // A gate at the root would be that of everything.
    if (this.#gates.has(folder) || dirname(folder) === folder || this.#gates.size >= MAX_FOLDERS) return;
    this.#gates.set(folder, gate ?? this.#makeGate());
  }

  /** The gate on the way to `path`, and the folder it belongs to: of folders in one another the outermost counts. */
  of(path: string): { readonly folder: string; readonly gate: DiskGate } | undefined {
    let found: { readonly folder: string; readonly gate: DiskGate } | undefined;
    for (const [folder, gate] of this.#gates) {
      if ((found === undefined || folder.length < found.folder.length) && isWithin(folder, path)) {
        found = { folder, gate };
      }
    }
    return found;
  }
}

/** Gates of a worker thread, which has one way to each folder: what waits there waits for nothing but itself. */
export function singleLaneGates(): DiskGates {
  return new DiskGates(() => {
    const lane = new Lane();
    return { quick: lane, long: lane };
  });
}

/** Whether `path` is `folder`, or lies below it, by their names. */
export function isWithin(folder: string, path: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === sep);
}
