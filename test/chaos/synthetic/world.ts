import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { FileSystem } from '../../../src/file-system.js';
import { ESSENTIAL_PATHS, isEssential } from '../../../src/profile/essential-files.js';
import { walkFiles } from '../../../src/profile/walk.js';
import { contentDigest } from '../../../src/snapshot/manifest/manifest.js';
import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { BackupDirStore } from '../../../src/stores/backup-dir-store.js';
import { FileSystemStore } from '../../../src/stores/file-system-store.js';
import { inlineTaskRunner } from '../../../src/task.js';
import type { SnapshotFile, SnapshotInfo } from '../../../src/types.js';

export const CLIENT_ID = 'shop';
/** Digest of a profile without a single essential file. */
export const ABSENT = 'absent';

/** The places of the files of the only bot in a folder. */
export function placesIn(folder: string) {
  return {
    authPath: join(folder, 'auth'),
    profileDir: join(folder, 'auth', `session-${CLIENT_ID}`),
    sideDir: join(folder, 'auth', `.session-${CLIENT_ID}.persistent`),
    oldSession: join(folder, 'old', `session-${CLIENT_ID}`),
    sessionPath: join(folder, 'session'),
    backupPath: join(folder, 'backup'),
  };
}

/** Equal for profiles whose essential files have the same bytes, and equal to the digest of a snapshot of them. */
export async function digestOfProfile(fs: FileSystem, profileDir: string): Promise<string> {
  const files: SnapshotFile[] = [];
  for await (const { path, size } of walkFiles(fs, profileDir, '')) {
    if (!isEssential(path)) continue;
    const sha256 = createHash('sha256')
      .update(await fs.promises.readFile(join(profileDir, path)))
      .digest('hex');
    files.push({ path, size, sha256 });
  }
  return files.length === 0 ? ABSENT : contentDigest(files);
}

/** No record names these blobs, so a capture takes only those that have not changed for a while. */
const AT_REST_SECONDS = 120;

/** Writes blobs beside the database, like large media. A blob never changes, so each generation has its own. */
export async function writeBlobs(
  fs: FileSystem,
  profileDir: string,
  generation: number,
  { files = 4, bytes = 20_000 } = {},
): Promise<void> {
  const folder = join(profileDir, ESSENTIAL_PATHS.indexedDbBlobs, '1');
  for await (const { path } of walkFiles(fs, folder, '')) {
    if (Number(path.slice(path.lastIndexOf('/') + 1)) < generation - 1)
      await fs.promises.rm(join(folder, path));
  }
  for (let index = 0; index < files; index++) {
    const path = join(folder, `${index}`, `${generation}`);
    await fs.promises.mkdir(dirname(path), { recursive: true });
    await fs.promises.writeFile(path, Buffer.alloc(bytes, `generation ${generation} blob ${index};`));
    const writtenAt = Date.now() / 1000 - AT_REST_SECONDS;
    await fs.promises.utimes(path, writtenAt, writtenAt);
  }
}

/** The content of the stores, as a new process sees it. */
export interface SeenSnapshots {
  readonly snapshots: readonly (SnapshotInfo & { readonly digest: string })[];
  /** Snapshots that exist but can't be read, and snapshots that are listed but fail their verification. */
  readonly problems: readonly string[];
  /** Number of objects that no listed save needs. */
  readonly orphans: number;
}

/** Lists and verifies everything through new instances of the repositories. */
export async function seeSnapshots(fs: FileSystem, folder: string): Promise<SeenSnapshots> {
  const problems: string[] = [];
  const snapshots: (SnapshotInfo & { digest: string })[] = [];
  const needed = new Set<string>();
  const repositories = openRepositories(fs, folder, (problem) => problems.push(problem));
  for (const repository of repositories) {
    for (const info of await repository.list()) {
      const manifest = await repository.manifest(info.id);
      if (repository.kind === 'save') {
        for (const { sha256 } of manifest.files) needed.add(sha256);
        for (const { sha256 } of manifest.packs ?? []) needed.add(`${sha256}.pack`);
      }
      snapshots.push({ ...info, digest: manifest.contentDigest });
      await repository.verify(info.id).catch((error: unknown) => {
        problems.push(`${info.kind} ${info.id} is listed and fails its verification: ${error}`);
      });
    }
  }
  let orphans = 0;
  for await (const { key } of repositories[0].store.list(`${CLIENT_ID}/objects/`)) {
    if (!needed.has(key.slice(key.lastIndexOf('/') + 1))) orphans++;
  }
  return { snapshots, problems, orphans };
}

/** The repositories of a bot, as a new process opens them: first the saves, then the backups. */
export function openRepositories(
  fs: FileSystem,
  folder: string,
  onProblem: (problem: string) => void = () => undefined,
): readonly [SnapshotRepository, SnapshotRepository] {
  const { sessionPath, backupPath } = placesIn(folder);
  const shared = {
    fs,
    clientId: CLIENT_ID,
    runner: inlineTaskRunner(fs),
    onProblem: (id: string, error: unknown) => onProblem(`${id} can't be read: ${error}`),
  };
  return [
    openRepository(
      { kind: 'save' },
      { ...shared, store: new FileSystemStore(join(sessionPath, 'store'), { fs }) },
    ),
    openRepository(
      { kind: 'backup', stagingDirectory: join(folder, 'checker') },
      {
        ...shared,
        store: new BackupDirStore(backupPath, { fs }),
      },
    ),
  ];
}
