import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import type { SnapshotManifest } from '../../types.js';
import { parseManifest, serializeManifest } from '../manifest/manifest.js';
import type { CatalogEntry } from './entries.js';

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** No more manifests than this are carried along: retention keeps fewer. */
const MAX_MANIFESTS = 64;
/** A save may send this much beyond what has changed, with its own manifest; bytes of the line. */
const MAX_LINE_BYTES = 40 * 1024;
/** All manifests of a line, unpacked, bytes. */
const MAX_UNPACKED_BYTES = 4 * 1024 * 1024;
/** The bytes before each manifest: the length of the version of its object, and its own. */
const LENGTHS_BYTES = 8;
const MAX_VERSION_BYTES = 2000;
/** A line has no room for the hashes of a larger manifest. */
const MAX_MANIFEST_BYTES = 1024 * 1024;
const OPENING = '{"earlier":"';
const LINE = /^\{"earlier":"([A-Za-z0-9+/]+={0,2})"\}\n$/;

/** The manifest of an earlier snapshot, and the version that its object had. */
export interface EarlierManifest {
  readonly manifest: SnapshotManifest;
  readonly version: string;
}

/**
 * The manifests of the snapshots that are in a store, as one line behind the manifest of the next one. On an empty disk a
 * start then reads the newest object only, instead of one for each snapshot. Manifests of one profile are so much alike
 * that ten need little more room than one.
 *
 * @param entries the listed snapshots, newest first
 * @returns the line with its end, or nothing if there is no snapshot, or if even the newest one would need too much room
 */
export async function earlierLine(entries: readonly CatalogEntry[]): Promise<Uint8Array> {
  const records = recordsOf(entries);
  for (let count = records.length; count >= 1; count = Math.floor(count / 2)) {
    const unpacked = Buffer.concat(records.slice(0, count));
    const packed = await compress(unpacked, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 5,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: unpacked.length,
      },
    });
    const line = Buffer.from(`${OPENING}${packed.toString('base64')}"}\n`);
    if (line.length <= MAX_LINE_BYTES) return line;
  }
  return new Uint8Array();
}

/** As many records, from the newest on, as a reader unpacks. */
function recordsOf(entries: readonly CatalogEntry[]): readonly Buffer[] {
  const records: Buffer[] = [];
  let bytes = 0;
  for (const { manifest, info } of entries.slice(0, MAX_MANIFESTS)) {
    const version = Buffer.from(info.version);
    const text = serializeManifest(manifest);
    bytes += LENGTHS_BYTES + version.length + text.length;
    if (!isWithin(version.length, text.length) || bytes > MAX_UNPACKED_BYTES) break;
    const lengths = Buffer.alloc(LENGTHS_BYTES);
    lengths.writeUInt32BE(version.length, 0);
    lengths.writeUInt32BE(text.length, LENGTHS_BYTES / 2);
    records.push(Buffer.concat([lengths, version, text]));
  }
  return records;
}

/** An object of a save in its two parts: the manifest, and the line of {@link earlierLine}, which may be empty. */
export function splitEarlier(bytes: Buffer): { readonly own: Buffer; readonly earlier: Buffer } {
  const start = bytes.lastIndexOf(`\n${OPENING}`);
  if (start < 0) return { own: bytes, earlier: Buffer.alloc(0) };
  return { own: bytes.subarray(0, start + 1), earlier: bytes.subarray(start + 1) };
}

/**
 * The manifests in a line of {@link earlierLine}. Whatever can't be read is left out: it only saves calls, since each
 * snapshot has an object of its own.
 */
export async function readEarlier(line: Buffer): Promise<readonly EarlierManifest[]> {
  const packed = LINE.exec(line.toString('latin1'))?.[1];
  if (packed === undefined) return [];
  try {
    const unpacked = await decompress(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES });
    return manifestsIn(unpacked);
  } catch {
    return [];
  }
}

/** Splits by the lengths, so that nothing but a manifest within its bounds is parsed. */
function manifestsIn(unpacked: Buffer): readonly EarlierManifest[] {
  const manifests: EarlierManifest[] = [];
  let at = 0;
  for (let count = 0; count < MAX_MANIFESTS && at + LENGTHS_BYTES <= unpacked.length; count++) {
    const versionBytes = unpacked.readUInt32BE(at);
    const textBytes = unpacked.readUInt32BE(at + LENGTHS_BYTES / 2);
    const textAt = at + LENGTHS_BYTES + versionBytes;
    at = textAt + textBytes;
    if (!isWithin(versionBytes, textBytes) || at > unpacked.length) break;
    const version = unpacked.toString('utf8', textAt - versionBytes, textAt);
    manifests.push(...readOne(version, unpacked.subarray(textAt, at)));
  }
  return manifests;
}

function isWithin(versionBytes: number, textBytes: number): boolean {
  return versionBytes <= MAX_VERSION_BYTES && textBytes > 0 && textBytes <= MAX_MANIFEST_BYTES;
}

function readOne(version: string, text: Buffer): readonly EarlierManifest[] {
  try {
    return [{ version, manifest: parseManifest(text) }];
  } catch {
    return [];
  }
}
