import { createHash } from 'node:crypto';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/file-system.js';
import { DEFAULT_LIMITS } from '../../../src/snapshot/manifest/limits.js';
import { buildManifest } from '../../../src/snapshot/manifest/manifest.js';
import { readZipDirectory } from '../../../src/snapshot/zip/zip-directory.js';
import { entryBytes, type ZipSource } from '../../../src/snapshot/zip/zip-source.js';
import { zipPieces } from '../../../src/snapshot/zip/zip-writer.js';
import type { SnapshotFile, SnapshotManifest } from '../../../src/types.js';
import { World } from '../support/world.js';

const ENTRIES = 66_000;
const ZEROS = Buffer.alloc(1024 * 1024);
const TABLE_BYTES = 4 * 1024 * 1024;
/** As many tables as are more than 4 GiB. */
const TABLES = 1_030;
/** What takes seconds takes minutes on a machine that is busy with other tests. */
const PATIENCE_MS = 600_000;

/** A zip of which only the pieces are kept that hold more than zeros. */
class SparseZip implements ZipSource {
  size = 0;
  readonly #pieces = new Map<number, Buffer>();
  #pieceBytes = 0;

  add(piece: Buffer): void {
    this.#pieceBytes ||= piece.length;
    if (!piece.equals(ZEROS.subarray(0, piece.length)))
      this.#pieces.set(this.size / this.#pieceBytes, Buffer.from(piece));
    this.size += piece.length;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - position)));
    for (let done = 0; done < bytes.length; ) {
      const at = position + done;
      const within = at % this.#pieceBytes;
      const piece = this.#pieces.get(Math.floor(at / this.#pieceBytes));
      const count = Math.min(this.#pieceBytes - within, bytes.length - done);
      piece?.copy(bytes, done, within, within + count);
      done += count;
    }
    return bytes;
  }
}

/** A disk where every file holds as many zeros as asked for. */
function diskOfZeros(bytes: number): FileSystem {
  const fs = createFsFromVolume(new Volume()) as unknown as FileSystem;
  const read = async (buffer: Uint8Array, offset: number, length: number, position: number) => {
    const bytesRead = Math.max(0, Math.min(length, bytes - position));
    buffer.fill(0, offset, offset + bytesRead);
    return { bytesRead, buffer };
  };
  const open = async () => ({ read, close: async () => undefined });
  return { ...fs, promises: { ...fs.promises, open: open as never } };
}

function manifestOf(count: number, size: number): SnapshotManifest {
  const sha256 = createHash('sha256').update(Buffer.alloc(size)).digest('hex');
  const files: SnapshotFile[] = Array.from({ length: count }, (_, n) => ({
    path: `Default/IndexedDB/${String(n).padStart(6, '0')}.ldb`,
    size,
    sha256,
  }));
  return buildManifest('backup', new World().context(), files, 'seed');
}

async function write(manifest: SnapshotManifest, size: number): Promise<SparseZip> {
  const zip = new SparseZip();
  const content = { directory: '/capture', manifest, compression: 'fast' } as const;
  for await (const piece of zipPieces(content, diskOfZeros(size))) zip.add(piece);
  return zip;
}

describe('a zip that needs the 64-bit records', () => {
  it(
    'has more than 65,535 entries, and is read',
    async () => {
      const manifest = manifestOf(ENTRIES, 1);
      const entries = await readZipDirectory(await write(manifest, 1), DEFAULT_LIMITS);
      expect(entries).toHaveLength(ENTRIES + 1);
      expect(entries.slice(1).map(({ name }) => name)).toEqual(manifest.files.map(({ path }) => path));
    },
    PATIENCE_MS,
  );

  it(
    'has more than 4 GiB, and is read to its last file',
    async () => {
      const zip = await write(manifestOf(TABLES, TABLE_BYTES), TABLE_BYTES);
      expect(zip.size).toBeGreaterThan(2 ** 32);
      const entries = await readZipDirectory(zip, DEFAULT_LIMITS);
      expect(entries).toHaveLength(TABLES + 1);
      const [last] = entries.slice(-1);
      expect(last?.dataOffset).toBeGreaterThan(2 ** 32);
      let size = 0;
      if (last) for await (const bytes of entryBytes(zip, last)) size += bytes.length;
      expect(size).toBe(TABLE_BYTES);
    },
    PATIENCE_MS,
  );
});
