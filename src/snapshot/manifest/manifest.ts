import { createHash } from 'node:crypto';
import { SnapshotCorruptError } from '../../errors.js';
import type {
  PackedFiles,
  SnapshotContext,
  SnapshotFile,
  SnapshotKind,
  SnapshotManifest,
} from '../../types.js';
import { LIBRARY_VERSION } from '../../version.js';
import { assertWithinLimits, DEFAULT_LIMITS, type SnapshotLimits } from './limits.js';
import { readManifestFields } from './manifest-fields.js';
import { assertSafePaths } from './safe-path.js';
import { snapshotId } from './snapshot-id.js';

/**
 * The manifest of a new snapshot: what was captured, when, by which versions, and the SHA-256 of every file.
 *
 * @param randomness replaces the id's random half; for tests
 * @throws SnapshotUnsafeError when a path or a size could never be restored
 */
export function buildManifest(
  kind: SnapshotKind,
  context: SnapshotContext,
  files: readonly SnapshotFile[],
  randomness?: Uint8Array | string,
): SnapshotManifest {
  const sorted = [...files].sort(byPath).map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  const digest = contentDigest(sorted);
  const candidate = {
    format: 1,
    id: snapshotId(context.createdAt, digest, randomness),
    kind,
    clientId: context.clientId,
    ...(context.profile === undefined ? {} : { profile: context.profile }),
    lineage: context.lineage,
    run: context.run,
    ...(context.account === undefined ? {} : { account: context.account }),
    createdAt: context.createdAt,
    capture: context.capture,
    settled: context.settled,
    state: context.state,
    ...(context.browserVersion === undefined ? {} : { browserVersion: context.browserVersion }),
    ...(context.dataVersion === undefined ? {} : { dataVersion: context.dataVersion }),
    ...(context.imported === undefined ? {} : { imported: context.imported }),
    ...(context.generation === undefined ? {} : { generation: context.generation }),
    libraryVersion: LIBRARY_VERSION,
    contentDigest: digest,
    files: sorted,
  };
  return checkManifest(candidate, DEFAULT_LIMITS);
}

/** The manifest of a save, with the packs that its files were put into. */
export function withPacks(manifest: SnapshotManifest, packs: readonly PackedFiles[]): SnapshotManifest {
  return packs.length === 0 ? manifest : checkManifest({ ...manifest, packs }, DEFAULT_LIMITS);
}

/** The canonical bytes: the same manifest always gives the same bytes, which include a SHA-256 over all the rest. */
export function serializeManifest(manifest: SnapshotManifest): Uint8Array {
  const { files, ...head } = manifest;
  const body = { ...head, files };
  const checksum = sha256(JSON.stringify(body));
  return Buffer.from(`${JSON.stringify({ ...body, checksum }, null, 1)}\n`);
}

/**
 * Reads a manifest without trusting it: the form and the bounds of every field are checked, every path must be
 * safe, and the bytes must be exactly those that {@link serializeManifest} writes, so any changed byte is noticed.
 *
 * @throws SnapshotCorruptError that names what is wrong; SnapshotUnsafeError for paths and sizes
 */
export function parseManifest(bytes: Uint8Array, limits: SnapshotLimits = DEFAULT_LIMITS): SnapshotManifest {
  if (bytes.length > limits.maxManifestBytes) {
    throw new SnapshotCorruptError(`the manifest has ${bytes.length} bytes, more than any honest one`);
  }
  const { checksum, ...fields } = parseObject(bytes);
  const manifest = checkManifest(fields, limits);
  if (checksum !== sha256(JSON.stringify(manifest))) {
    throw new SnapshotCorruptError('the manifest does not match its own checksum');
  }
  if (Buffer.compare(serializeManifest(manifest), bytes) !== 0) {
    throw new SnapshotCorruptError('the manifest was changed: it is not in its canonical form');
  }
  return manifest;
}

/** SHA-256 over the sorted list of files: equal contents give equal digests, in any order. */
export function contentDigest(files: readonly SnapshotFile[]): string {
  const hash = createHash('sha256');
  for (const { path, size, sha256 } of [...files].sort(byPath)) hash.update(`${path}\0${size}\0${sha256}\n`);
  return hash.digest('hex');
}

function checkManifest(fields: Readonly<Record<string, unknown>>, limits: SnapshotLimits): SnapshotManifest {
  const manifest = readManifestFields(fields, limits);
  assertWithinLimits(manifest.files, limits);
  assertSafePaths(manifest.files.map(({ path }) => path));
  if (manifest.contentDigest !== contentDigest(manifest.files)) {
    throw new SnapshotCorruptError('the manifest does not match its list of files (contentDigest)');
  }
  return manifest;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SnapshotCorruptError('the manifest is not JSON: torn or overwritten', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SnapshotCorruptError('the manifest is not a JSON object');
  }
  return value as Record<string, unknown>;
}

/** Compares code units without a locale: the order must be the same on every machine. */
function byPath(a: SnapshotFile, b: SnapshotFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
