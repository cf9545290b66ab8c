import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { BackupDirStore } from '../../src/stores/backup-dir-store.js';
import { FileSystemStore } from '../../src/stores/file-system-store.js';
import { describeSessionStore, MemoryStore, type StoreFixture } from '../../src/testing/index.js';

const offers = { conditionalDelete: true, deleteMany: true, ranges: true } as const;
const inMemory = {
  ...offers,
  fencedPut: true,
  serverTime: true,
  verifiedBy: 'server',
  inMemory: true,
} as const;
const onDisks = { ...offers, verifiedBy: 'readback', putFile: true, localPath: true } as const;
const expects = { ...onDisks, breakDown: true } as const;

describeSessionStore({ describe, it, name: 'MemoryStore', expects: { ...inMemory, breakDown: true } }, () => {
  const store = new MemoryStore();
  return { store, breakDown: () => store.setDown(true) };
});

describeSessionStore(
  { describe, it, name: 'MemoryStore with a limit', expects: { ...inMemory, maxObjectBytes: 400_000 } },
  () => new MemoryStore({ maxObjectBytes: 400_000 }),
);

describeSessionStore({ describe, it, name: 'FileSystemStore', expects }, () =>
  onDisk((root) => new FileSystemStore(root)),
);

describeSessionStore({ describe, it, name: 'BackupDirStore', expects }, () =>
  onDisk((root) => new BackupDirStore(root)),
);

describeSessionStore(
  { describe, it, name: 'FileSystemStore on memfs', expects: { ...expects, inMemory: true } },
  () => {
    const fs = createFsFromVolume(new Volume()) as unknown as FileSystem;
    const breakDown = async () => {
      await fs.promises.rm('/rack', { recursive: true });
      await fs.promises.writeFile('/rack', 'not a folder');
    };
    return { store: new FileSystemStore('/rack', { fs }), breakDown, fs };
  },
);

async function onDisk(open: (root: string) => FileSystemStore): Promise<StoreFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'store-'));
  const root = join(folder, 'root');
  return {
    store: open(root),
    dispose: () => rm(folder, { recursive: true, force: true }),
    breakDown: async () => {
      await rm(root, { recursive: true });
      await writeFile(root, 'not a folder');
    },
  };
}
