import { SnapshotCorruptError, SnapshotUnsafeError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { defineTask } from '../../task.js';
import type { SnapshotManifest } from '../../types.js';
import { mapLimited } from '../concurrency.js';
import {
  assertSame,
  discardFolder,
  prepareEmptyFolder,
  syncFolders,
  writeChecked,
} from '../hashing/checked-file.js';
import { hashBytes } from '../hashing/hashing.js';
import { DEFAULT_LIMITS, type SnapshotLimits } from '../manifest/limits.js';
import { parseManifest } from '../manifest/manifest.js';
import { quoteName } from '../manifest/safe-path.js';
import { readZipDirectory } from './zip-directory.js';
import type { ZipEntry } from './zip-entry.js';
import { MANIFEST_NAME } from './zip-head.js';
import { entryBytes, withZipSource, type ZipFile, type ZipSource } from './zip-source.js';

/** Entries unpacked at once; more cost memory and gain nothing on two cores (docs/chromium-facts.md F5.4). */
const CONCURRENCY = 3;

interface ZipInput extends ZipFile {
  readonly limits?: SnapshotLimits;
}

/** Unpacks a zip in memory, piece by piece, and compares every file with the manifest inside. */
export const verifyZipTask = defineTask<ZipInput, SnapshotManifest>(
  'snapshot:verify-zip',
  ({ limits = DEFAULT_LIMITS, ...zip }, { fs, signal }) =>
    withZipSource(fs, zip, async (source) => {
      const { manifest, entries } = await openSnapshotZip(source, limits);
      await mapLimited(manifest.files, CONCURRENCY, async (file) => {
        signal?.throwIfAborted();
        assertSame(file, await hashBytes(entryBytes(source, entryOf(entries, file.path))));
      });
      return manifest;
    }),
);

/**
 * Unpacks a zip into an empty folder: only the files of the manifest, each compared with its SHA-256. Files get
 * mode 0600, folders 0700; all bytes are synced to the disk when it resolves. When anything is wrong, the folder
 * is removed.
 */
export const extractZipTask = defineTask<ZipInput & { readonly directory: string }, SnapshotManifest>(
  'snapshot:extract-zip',
  ({ directory, limits = DEFAULT_LIMITS, ...zip }, { fs, signal }) =>
    withZipSource(fs, zip, async (source) => {
      const { manifest, entries } = await openSnapshotZip(source, limits);
      await unpackListed(fs, source, directory, { manifest, entries }, signal);
      return manifest;
    }),
);

/** The manifest of a zip, and the entries of its files. */
export interface ListedFiles {
  readonly manifest: SnapshotManifest;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** Unpacks only the files of the manifest, each compared with its SHA-256; after a failure the folder is removed. */
export async function unpackListed(
  fs: FileSystem,
  source: ZipSource,
  directory: string,
  { manifest, entries }: ListedFiles,
  signal: AbortSignal | undefined,
): Promise<void> {
  await prepareEmptyFolder(fs, directory);
  try {
    await mapLimited(manifest.files, CONCURRENCY, (file) =>
      writeChecked(fs, directory, file, entryBytes(source, entryOf(entries, file.path)), signal),
    );
    await syncFolders(
      fs,
      directory,
      manifest.files.map((file) => file.path),
    );
  } catch (error) {
    await discardFolder(fs, directory);
    throw error;
  }
}

/** The directory and the manifest of a zip, which must name the same files with the same sizes. */
async function openSnapshotZip(source: ZipSource, limits: SnapshotLimits): Promise<ListedFiles> {
  const list = await readZipDirectory(source, limits);
  const [first] = list;
  if (first?.name !== MANIFEST_NAME) {
    throw new SnapshotCorruptError(
      `the zip does not begin with ${MANIFEST_NAME}: it is no backup of a session`,
    );
  }
  const listed = await readListed(source, list, first, limits);
  const named = new Set([MANIFEST_NAME, ...listed.manifest.files.map(({ path }) => path)]);
  const extra = list.find(({ name }) => !named.has(name));
  if (extra !== undefined) {
    throw new SnapshotUnsafeError(`entry ${quoteName(extra.name)} is not in the manifest`);
  }
  return listed;
}

/**
 * Reads a manifest and finds its files among the entries.
 *
 * @throws SnapshotCorruptError for a file that is missing, or whose size differs from the manifest
 */
export async function readListed(
  source: ZipSource,
  list: readonly ZipEntry[],
  manifestEntry: ZipEntry,
  limits: SnapshotLimits,
): Promise<ListedFiles> {
  const entries = new Map(list.map((entry) => [entry.name, entry]));
  const manifest = await readManifest(source, manifestEntry, limits);
  for (const { path, size } of manifest.files) {
    const entry = entryOf(entries, path);
    if (entry.size !== size) {
      throw new SnapshotCorruptError(
        `entry ${quoteName(path)} declares ${entry.size} bytes, the manifest says ${size}`,
      );
    }
  }
  return { manifest, entries };
}

async function readManifest(
  source: ZipSource,
  entry: ZipEntry,
  limits: SnapshotLimits,
): Promise<SnapshotManifest> {
  if (entry.size > limits.maxManifestBytes) {
    throw new SnapshotUnsafeError(`entry ${MANIFEST_NAME} is larger than any honest one`);
  }
  const parts: Uint8Array[] = [];
  for await (const part of entryBytes(source, entry)) parts.push(Buffer.from(part));
  return parseManifest(Buffer.concat(parts), limits);
}

function entryOf(entries: ReadonlyMap<string, ZipEntry>, path: string): ZipEntry {
  const entry = entries.get(path);
  if (entry === undefined) throw new SnapshotCorruptError(`${quoteName(path)} is missing in the zip`);
  return entry;
}
