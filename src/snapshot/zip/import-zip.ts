import { crc32 } from 'node:zlib';
import { SnapshotCorruptError } from '../../errors.js';
import { isEssential } from '../../profile/essential-files.js';
import { defineTask } from '../../task.js';
import type { SnapshotFile, SnapshotManifest } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import { discardFolder, prepareEmptyFolder, syncFolders, writeChecked } from '../hashing/checked-file.js';
import { hashBytes } from '../hashing/hashing.js';
import { DEFAULT_LIMITS, type SnapshotLimits } from '../manifest/limits.js';
import { quoteName } from '../manifest/safe-path.js';
import { readForeignZip } from './foreign-zip.js';
import type { ZipEntry } from './zip-entry.js';
import { MANIFEST_NAME } from './zip-head.js';
import { readListed, unpackListed } from './zip-reader.js';
import { entryBytes, withZipSource, type ZipSource } from './zip-source.js';

const CONCURRENCY = 3;

interface ImportZipInput {
  readonly path: string;
  readonly directory: string;
  readonly limits?: SnapshotLimits;
}

/** Information about the unpacked zip. */
export interface ImportedZip {
  /** The folders around the profile in the zip, with a `/` at the end; empty when there are none. */
  readonly folder: string;
  /** Present only for a backup of our own. */
  readonly manifest?: SnapshotManifest;
}

/**
 * Unpacks a profile's zip from another tool into an empty folder. Such a zip, for example RemoteAuth's, has
 * neither manifest nor hashes: only the files of the login are unpacked, and each is read and compared with its
 * CRC before anything is written. A zip of our own, even if another tool has zipped it again, is compared with its
 * manifest, which is returned. When anything is wrong, the folder is removed.
 *
 * @throws SnapshotUnsafeError or SnapshotCorruptError naming the entry
 */
export const importZipTask = defineTask<ImportZipInput, ImportedZip>(
  'snapshot:import-zip',
  ({ path, directory, limits = DEFAULT_LIMITS }, { fs, signal }) =>
    withZipSource(fs, { path }, async (source) => {
      const { folder, entries } = await readForeignZip(source, limits);
      const manifestEntry = entries.find(({ name }) => name === MANIFEST_NAME);
      if (manifestEntry !== undefined) {
        const listed = await readListed(source, entries, manifestEntry, limits);
        await unpackListed(fs, source, directory, listed, signal);
        return { folder, manifest: listed.manifest };
      }
      const essential = entries.filter(({ name }) => isEssential(name));
      const files = await mapLimited(essential, CONCURRENCY, (entry) => readThrough(source, entry, signal));
      await prepareEmptyFolder(fs, directory);
      try {
        await mapLimited(essential, CONCURRENCY, async (entry, index) => {
          const file = files[index];
          if (file) await writeChecked(fs, directory, file, entryBytes(source, entry), signal);
        });
        await syncFolders(
          fs,
          directory,
          files.map((file) => file.path),
        );
      } catch (error) {
        await discardFolder(fs, directory);
        throw error;
      }
      return { folder };
    }),
);

async function readThrough(
  source: ZipSource,
  entry: ZipEntry,
  signal: AbortSignal | undefined,
): Promise<SnapshotFile> {
  let crc = 0;
  const seen = async function* () {
    for await (const chunk of entryBytes(source, entry)) {
      signal?.throwIfAborted();
      crc = crc32(chunk, crc);
      yield chunk;
    }
  };
  const { size, sha256 } = await hashBytes(seen());
  if (crc !== entry.crc32) {
    throw new SnapshotCorruptError(
      `entry ${quoteName(entry.name)} is damaged: its CRC is not the one declared`,
    );
  }
  return { path: entry.name, size, sha256 };
}
