import { join } from 'node:path';
import type { FileSystem } from '../../src/file-system.js';
import { walkFiles } from '../../src/profile/walk.js';
import { buildZip, type EvilEntry } from '../snapshot/support/zip-builder.js';

/** Marks the profile as open in a browser (`<host>-<pid>`) like Chromium: by a symbolic link without a target. */
export async function takeOver(fs: FileSystem, profileDir: string, holder: string): Promise<void> {
  const { symlink } = fs.promises as unknown as { symlink(target: string, path: string): Promise<void> };
  await symlink(holder, join(profileDir, 'SingletonLock'));
}

/** A profile zipped as RemoteAuth does it: archiver's `directory()` also writes an entry for each folder. */
export async function zipOf(
  fs: FileSystem,
  profileDir: string,
  { deflate = false, below = '' } = {},
): Promise<Buffer> {
  const entries: EvilEntry[] = [];
  const folders = new Set<string>();
  for await (const { path } of walkFiles(fs, profileDir, '')) {
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) {
      const name = path.slice(0, end + 1);
      if (!folders.has(name)) entries.push({ name: below + name, mode: 0o40755, dosAttributes: 0x10 });
      folders.add(name);
    }
    const data = (await fs.promises.readFile(join(profileDir, path))) as Buffer;
    entries.push({ name: below + path, data, deflate });
  }
  return buildZip(entries);
}
