import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileSystem, PRIVATE_FILE_MODE } from '../file-system.js';
import { defineTask } from '../task.js';
import type { SnapshotManifest } from '../types.js';
import { serializeManifest } from './manifest.js';
import { MANIFEST_NAME } from './zip-head.js';

/** `fast`: tables are stored, the rest deflated at level 1. `small`: everything deflated at level 6. */
export type ZipCompression = 'fast' | 'small';

export interface WriteZipInput {
  /** The captured files lie below it. */
  readonly directory: string;
  readonly manifest: SnapshotManifest;
  /** The zip to write; must not exist. */
  readonly target: string;
  readonly compression: ZipCompression;
}

/** Writes a zip of captured files, the manifest first, and puts it on the disk. */
export const writeZipTask = defineTask<WriteZipInput, void>(
  'snapshot:write-zip',
  async (input, { fs, signal }) => {
    // archiver 8 is ESM only: a static import would break the CJS build.
    const { ZipArchive } = await import('archiver');
    const archive = new ZipArchive({ zlib: { level: input.compression === 'fast' ? 1 : 6 } });
    const output = fs.createWriteStream(input.target, { flags: 'wx', mode: PRIVATE_FILE_MODE });
    // Either may fail once more after the pipeline has rejected; nobody would listen then.
    archive.on('error', () => undefined);
    output.on('error', () => undefined);
    const written = pipeline(archive, output);
    const broken = new AbortController();
    written.catch((error) => broken.abort(error));
    const onAbort = () => broken.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      for (const entry of entriesOf(input, fs)) await append(archive, entry, input.manifest, broken.signal);
      await Promise.all([archive.finalize(), written]);
    } catch (error) {
      archive.abort();
      output.destroy();
      await written.catch(() => undefined);
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    await syncFile(fs, input.target);
  },
);

interface NewEntry {
  readonly name: string;
  readonly source: Readable | Buffer;
  readonly store: boolean;
}

/** One at a time, so that only one file is open. */
function* entriesOf(input: WriteZipInput, fs: FileSystem): Generator<NewEntry> {
  const { directory, manifest, compression } = input;
  yield { name: MANIFEST_NAME, source: Buffer.from(serializeManifest(manifest)), store: true };
  for (const { path, size } of manifest.files) {
    yield {
      name: path,
      // An empty entry out of a stream would be followed by a descriptor that some unpackers misread.
      source: size === 0 ? Buffer.alloc(0) : fs.createReadStream(join(directory, ...path.split('/'))),
      // Tables are Snappy-compressed already: deflating them costs five times the time for 23 % (FACTS 6).
      store: compression === 'fast' && path.endsWith('.ldb'),
    };
  }
}

function append(
  archive: import('archiver').ZipArchive,
  { name, source, store }: NewEntry,
  manifest: SnapshotManifest,
  broken: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      broken.removeEventListener('abort', onBroken);
      archive.removeListener('entry', onEntry);
      if (source instanceof Readable) source.destroy();
      outcome();
    };
    const onEntry = () => settle(resolve);
    const onBroken = () => settle(() => reject(broken.reason));
    if (broken.aborted) return onBroken();
    broken.addEventListener('abort', onBroken, { once: true });
    archive.once('entry', onEntry);
    // archiver pipes a source without looking at its errors: it would wait for ever.
    if (source instanceof Readable) source.on('error', (error) => settle(() => reject(error)));
    const date = new Date(manifest.createdAt);
    archive.append(source, { name, store, date, mode: PRIVATE_FILE_MODE });
  });
}

async function syncFile(fs: FileSystem, path: string): Promise<void> {
  const handle = await fs.promises.open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
