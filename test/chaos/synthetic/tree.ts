import { dirname, join } from 'node:path';
import type { FileSystem } from '../../../src/file-system.js';
import { walkFiles } from '../../../src/profile/walk.js';
import type { CapturedFile, CapturedTree, SnapshotContext } from '../../../src/types.js';

/** Files by their path in the profile. */
export type TreeFiles = ReadonlyMap<string, Uint8Array>;

/** The capture of a profile with these files. */
export async function captureTree(
  fs: FileSystem,
  directory: string,
  files: TreeFiles,
): Promise<CapturedTree> {
  const captured: CapturedFile[] = [];
  for (const [path, bytes] of files) {
    const target = join(directory, path);
    await fs.promises.mkdir(dirname(target), { recursive: true });
    await fs.promises.writeFile(target, bytes);
    const { size, mtimeNs, ino } = await fs.promises.stat(target, { bigint: true });
    const source = { size: Number(size), mtimeNs: String(mtimeNs), inode: String(ino) };
    captured.push({ path, size: bytes.length, source });
  }
  return { directory, files: captured };
}

export async function readTree(fs: FileSystem, directory: string): Promise<TreeFiles> {
  const files = new Map<string, Uint8Array>();
  for await (const { path } of walkFiles(fs, directory, '')) {
    files.set(path, (await fs.promises.readFile(join(directory, path))) as Buffer);
  }
  return files;
}

export function sameTree(a: TreeFiles, b: TreeFiles): boolean {
  if (a.size !== b.size) return false;
  for (const [path, bytes] of a) {
    const other = b.get(path);
    if (other === undefined || Buffer.compare(bytes, other) !== 0) return false;
  }
  return true;
}

/** The context of a save at this time, ISO 8601. */
export function contextAt(createdAt: string): SnapshotContext {
  return {
    clientId: 'shop',
    lineage: 'lineage-1',
    run: 1,
    createdAt,
    capture: 'hot',
    settled: true,
    state: 'ready',
  };
}
