import { SnapshotCorruptError } from '../../errors.js';
import type {
  CaptureMode,
  ProfileIdentity,
  SnapshotFile,
  SnapshotKind,
  SnapshotManifest,
} from '../../types.js';
import { count, type Fields, matching, refuse, SHA256, text } from './field-checks.js';
import type { SnapshotLimits } from './limits.js';
import { packedFiles } from './packed-files.js';
import { compactTime, isSnapshotId } from './snapshot-id.js';

/** The highest run number that a manifest may have. */
export const MAX_RUN = 1_000_000_000;
/** How many earlier imports a manifest remembers. */
export const MAX_IMPORTED = 50;
/** A salted mark of the account, see `supervision/login/account-mark.ts`; older manifests have a plain SHA-256. */
const ACCOUNT = /^(scrypt\$[0-9a-f]{32}\$)?[0-9a-f]{64}$/;
/** The client ids that whatsapp-web.js accepts (docs/chromium-facts.md F2.6), with limited length. */
const CLIENT_ID = /^[-\w]{1,128}$/;
/** A lineage becomes part of a key (`revoked/<lineage>.json`). */
const LINEAGE = /^[A-Za-z0-9][-\w]{0,127}$/;
const WORD = /^[a-z_]{1,32}$/;
/** Versions of the schema, of V8 and of Blink in an IndexedDB. */
const DATA_VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}$/;
const PRINTABLE = /^[\x20-\x7e]{1,200}$/;
/** A path of any system, with limited length and without control characters. */
const PATH = /^\P{Cc}{1,4096}$/u;

const REQUIRED = [
  'format',
  'id',
  'kind',
  'clientId',
  'lineage',
  'run',
  'createdAt',
  'capture',
  'settled',
  'state',
  'libraryVersion',
  'contentDigest',
  'files',
];
const OPTIONAL = ['profile', 'account', 'browserVersion', 'dataVersion', 'imported', 'generation', 'packs'];

/**
 * The manifest was written by a newer version of this library in a format that is unknown here; it may well be
 * whole.
 */
export class NewerFormatError extends SnapshotCorruptError {}

/**
 * Builds a manifest from unknown fields, in the canonical order; throws `SnapshotCorruptError` naming the first
 * bad field.
 */
export function readManifestFields(fields: Fields, limits: SnapshotLimits): SnapshotManifest {
  if (typeof fields.format === 'number' && fields.format > 1) {
    throw new NewerFormatError(`the manifest has format ${fields.format}: a newer version wrote it`);
  }
  if (fields.format !== 1) return refuse('format', 'it must be 1');
  for (const name of REQUIRED) if (!Object.hasOwn(fields, name)) return refuse(name, 'it is missing');
  for (const name of Object.keys(fields)) {
    if (!REQUIRED.includes(name) && !OPTIONAL.includes(name))
      return refuse(name.slice(0, 64), 'it is unknown');
  }
  const createdAt = time(fields, 'createdAt');
  const id = text(fields, 'id');
  if (!isSnapshotId(id) || !id.startsWith(`${compactTime(createdAt)}-`)) {
    return refuse('id', 'it must be the capture time and eight hex digits');
  }
  return {
    format: 1,
    id,
    kind: oneOf<SnapshotKind>(fields, 'kind', ['save', 'backup']),
    clientId: matching(fields, 'clientId', CLIENT_ID),
    ...(fields.profile === undefined ? {} : { profile: profileIdentity(fields.profile) }),
    lineage: matching(fields, 'lineage', LINEAGE),
    run: count(fields, 'run', MAX_RUN),
    ...(fields.account === undefined ? {} : { account: matching(fields, 'account', ACCOUNT) }),
    createdAt,
    capture: oneOf<CaptureMode>(fields, 'capture', ['hot', 'cold']),
    settled: flag(fields, 'settled'),
    state: matching(fields, 'state', WORD),
    ...(fields.browserVersion === undefined
      ? {}
      : { browserVersion: matching(fields, 'browserVersion', PRINTABLE) }),
    ...(fields.dataVersion === undefined
      ? {}
      : { dataVersion: matching(fields, 'dataVersion', DATA_VERSION) }),
    ...(fields.imported === undefined ? {} : { imported: lineages(fields.imported) }),
    ...(fields.generation === undefined
      ? {}
      : { generation: count(fields, 'generation', Number.MAX_SAFE_INTEGER) }),
    libraryVersion: matching(fields, 'libraryVersion', PRINTABLE),
    contentDigest: matching(fields, 'contentDigest', SHA256),
    ...filesWithPacks(fields, limits),
  };
}

function profileIdentity(value: unknown): ProfileIdentity {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (names.length === 0 || names.some((name) => name !== 'path' && name !== 'relativePath')) {
    return refuse('profile', 'it must have path, and perhaps relativePath');
  }
  const place = value as Fields;
  return {
    path: matching(place, 'path', PATH, 'profile'),
    ...(place.relativePath !== undefined && {
      relativePath: matching(place, 'relativePath', PATH, 'profile'),
    }),
  };
}

function lineages(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return refuse('imported', 'it must be a list');
  if (value.length === 0 || value.length > MAX_IMPORTED) {
    return refuse('imported', `it must have 1 to ${MAX_IMPORTED} entries`);
  }
  return value.map((item: unknown) => matching({ lineage: item }, 'lineage', LINEAGE, 'imported'));
}

function filesWithPacks(
  { kind, packs, files }: Fields,
  limits: SnapshotLimits,
): Pick<SnapshotManifest, 'packs' | 'files'> {
  const list = fileList(files, limits.maxFiles);
  if (packs === undefined) return { files: list };
  if (kind !== 'save') return refuse('packs', 'only a save has them');
  return { packs: packedFiles(packs, list, limits), files: list };
}

function fileList(value: unknown, maxFiles: number): readonly SnapshotFile[] {
  if (!Array.isArray(value)) return refuse('files', 'it must be a list');
  // An empty profile is never worth keeping: RemoteAuth uploads one as a save (docs/chromium-facts.md F2.7).
  if (value.length === 0) return refuse('files', 'it is empty');
  if (value.length > maxFiles) return refuse('files', `it has more than ${maxFiles} entries`);
  return value.map((item: unknown, index) => {
    const where = `files[${index}]`;
    if (typeof item !== 'object' || item === null || Object.keys(item).length !== 3) {
      return refuse(where, 'it must have path, size and sha256');
    }
    const file = item as Fields;
    return {
      path: text(file, 'path', where),
      size: count(file, 'size', Number.MAX_SAFE_INTEGER, where),
      sha256: matching(file, 'sha256', SHA256, where),
    };
  });
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  return typeof value === 'boolean' ? value : refuse(name, 'it must be true or false');
}

function oneOf<T extends string>(fields: Fields, name: string, values: readonly T[]): T {
  const found = values.find((value) => value === fields[name]);
  return found ?? refuse(name, `it must be one of ${values.join(', ')}`);
}

function time(fields: Fields, name: string): string {
  const value = text(fields, name);
  const parsed = new Date(value);
  const exact = !Number.isNaN(parsed.getTime()) && parsed.toISOString() === value && value.length === 24;
  return exact ? value : refuse(name, 'it must be an ISO 8601 time in UTC with milliseconds');
}
