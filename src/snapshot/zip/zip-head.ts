import { SnapshotCorruptError } from '../../errors.js';
import type { SnapshotManifest } from '../../types.js';
import { DEFAULT_LIMITS } from '../manifest/limits.js';
import { parseManifest } from '../manifest/manifest.js';

/** Name of the manifest inside a zip; always the first entry, never deflated. */
export const MANIFEST_NAME = 'manifest.json';

/** Usually large enough for the whole manifest. */
const FIRST_READ_BYTES = 64 * 1024;
const HEADER_BYTES = 30;
const SIGNATURE = 0x04034b50;

/**
 * The manifest at the beginning of a zip, read without the rest. A listing therefore costs only a few kilobytes
 * per zip, and needs nothing but the zip.
 *
 * @param readStart returns this many first bytes of the zip, fewer only when it is shorter; `undefined` when the
 * zip is gone
 * @throws SnapshotCorruptError when it does not begin with a manifest
 */
export async function readManifestAtHead(
  readStart: (bytes: number) => Promise<Buffer | undefined>,
): Promise<SnapshotManifest | undefined> {
  let bytes = await readStart(FIRST_READ_BYTES);
  if (bytes === undefined) return undefined;
  const { offset, size } = locateManifest(bytes);
  if (offset + size > bytes.length) bytes = await readStart(offset + size);
  if (bytes === undefined) return undefined;
  return parseManifest(bytes.subarray(offset, offset + size));
}

function locateManifest(bytes: Buffer): { readonly offset: number; readonly size: number } {
  const header = bytes.subarray(0, HEADER_BYTES);
  const stored =
    header.length === HEADER_BYTES &&
    header.readUInt32LE(0) === SIGNATURE &&
    header.readUInt16LE(6) === 0 &&
    header.readUInt16LE(8) === 0 &&
    bytes.toString('latin1', HEADER_BYTES, HEADER_BYTES + header.readUInt16LE(26)) === MANIFEST_NAME;
  const size = stored ? header.readUInt32LE(18) : 0;
  if (!stored || size > DEFAULT_LIMITS.maxManifestBytes) {
    throw new SnapshotCorruptError(
      `the zip does not begin with a plain ${MANIFEST_NAME}: it is no backup of a session`,
    );
  }
  return { offset: HEADER_BYTES + MANIFEST_NAME.length + header.readUInt16LE(28), size };
}
