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
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
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
  for (let count = Math.min(entries.length, MAX_MANIFESTS); count >= 1; count = Math.floor(count / 2)) {
    const texts = entries.slice(0, count).map(({ manifest, info }) => ({
      version: info.version,
      text: Buffer.from(serializeManifest(manifest)).toString('utf8'),
    }));
    const unpacked = Buffer.from(JSON.stringify(texts));
    if (unpacked.length > MAX_UNPACKED_BYTES) continue;
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
    const texts: unknown = JSON.parse(unpacked.toString('utf8'));
    if (!Array.isArray(texts)) return [];
    return texts.slice(0, MAX_MANIFESTS).flatMap(readOne);
  } catch {
    return [];
  }
}

function readOne(item: unknown): readonly EarlierManifest[] {
  const { version, text } = (item ?? {}) as { readonly version?: unknown; readonly text?: unknown };
  if (typeof version !== 'string' || typeof text !== 'string') return [];
  try {
    return [{ version, manifest: parseManifest(Buffer.from(text)) }];
  } catch {
    return [];
  }
}
