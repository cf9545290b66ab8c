import { createHash } from 'node:crypto';
import { copyFile, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files that LevelDB creates again, so that no snapshot needs them. */
const NOT_ESSENTIAL = new Set(['LOCK', 'LOG', 'LOG.old']);

/** SHA-256 over the path and the bytes of every essential file below a profile. */
export async function hashOfTree(profileDir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await filesBelow(profileDir)) {
    const bytes = createHash('sha256').update(await readFile(join(profileDir, path)));
    hash.update(`${path} ${bytes.digest('hex')}\n`);
  }
  return hash.digest('hex');
}

/**
 * Changes a copy of `before` into `after`, as the traffic between them did. Files that both share are not touched: they
 * have one inode, because a table never changes.
 */
export async function applyChange(profileDir: string, before: string, after: string): Promise<void> {
  const wanted = await filesBelow(after);
  for (const path of wanted) {
    const old = await lstat(join(before, path)).catch(() => undefined);
    const now = await lstat(join(after, path));
    if (old?.ino === now.ino) continue;
    await mkdir(dirname(join(profileDir, path)), { recursive: true });
    await copyFile(join(after, path), join(profileDir, path));
  }
  for (const path of await filesBelow(profileDir)) {
    if (!wanted.includes(path)) await rm(join(profileDir, path));
  }
}

async function filesBelow(root: string, folder = 'Default'): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(root, path)));
    else if (!NOT_ESSENTIAL.has(entry.name)) found.push(path);
  }
  return found.sort();
}
