import { totalmem } from 'node:os';
import { posix } from 'node:path';
import type { FileSystem } from '../file-system.js';

/** More control groups than any process is nested in. */
const MAX_DEPTH = 64;

/**
 * Bytes of memory that this process and its children may use together: the lowest limit of its control groups (a
 * container's, in both versions of cgroups), else the whole memory of the machine. Never rejects.
 *
 * @example await memoryLimitBytes(fs); // 536870912 in a container of 512 MB
 */
export async function memoryLimitBytes(fs: FileSystem, machineBytes = totalmem()): Promise<number> {
  const groups = await read(fs, '/proc/self/cgroup');
  const limits = await Promise.all(limitFiles(groups ?? '').map((path) => read(fs, path)));
  // "No limit" is written as `max`, or in version 1 as a number larger than any memory.
  const numbers = limits.map((text) => Number.parseInt(text ?? '', 10)).filter((bytes) => bytes > 0);
  return Math.min(machineBytes, ...numbers);
}

/**
 * The files with the limits of a process, from the text of its `/proc/self/cgroup` (cgroups(7)). The group may
 * have the name that the host sees, while only the container's own group is mounted; therefore the root is read
 * too.
 */
function limitFiles(groups: string): readonly string[] {
  const files: string[] = [];
  for (const line of groups.split('\n')) {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (hierarchy === '0') {
      files.push(...upward(path).map((group) => posix.join('/sys/fs/cgroup', group, 'memory.max')));
    } else if (controllers?.split(',').includes('memory')) {
      files.push(
        ...upward(path).map((group) => posix.join('/sys/fs/cgroup/memory', group, 'memory.limit_in_bytes')),
      );
    }
  }
  return files;
}

/** All folders from a path up to the root: `/a/b`, `/a`, `/`. */
function upward(path: string): readonly string[] {
  const groups = [path];
  for (let group = path; group !== '/' && groups.length < MAX_DEPTH; ) {
    group = posix.dirname(group);
    groups.push(group);
  }
  return groups;
}

async function read(fs: FileSystem, path: string): Promise<string | undefined> {
  try {
    return String(await fs.promises.readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
