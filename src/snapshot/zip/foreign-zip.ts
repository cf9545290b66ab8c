import type { File as DirectoryRecord } from 'unzipper';
import { SnapshotCorruptError, SnapshotUnsafeError } from '../../errors.js';
import { isEssential } from '../../profile/essential-files.js';
import type { SnapshotLimits } from '../manifest/limits.js';
import { assertSafePath, assertStaysInside, quoteName } from '../manifest/safe-path.js';
import { fileTypeOf, isPlainFolder, judgeRecords, readZipRecords, type ZipRecord } from './zip-directory.js';
import type { ZipEntry } from './zip-entry.js';
import { MANIFEST_NAME } from './zip-head.js';
import type { ZipSource } from './zip-source.js';

/**
 * Systems whose tools may write `\` between names: .NET before 4.6.1, and therefore PowerShell 5 (APPNOTE.TXT
 * 4.4.2.2).
 */
const FAT = 0;
const NTFS = 10;
const SYMBOLIC_LINK = 0xa000;
/** Links that Chromium keeps beside a profile while it runs; it creates them again at each start. */
const CHROMIUM_LINK = /^(Singleton(Lock|Cookie|Socket)|RunningChromeVersion)$/;
/** Every path of the login begins with this folder. */
const PROFILE_FOLDER = 'Default/';
/** A crafted name may have thousands of places where the profile could begin; a usual name has one or two. */
const MAX_PLACES = 8;
/** Files that macOS and Windows leave in any folder; they are never part of a login. */
const LITTER = /^(__MACOSX|\._.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

/** The part of a zip that belongs to a profile. */
export interface ForeignZip {
  /** The prefix of every path of the profile: empty, or the folders around it with a `/` at the end. */
  readonly folder: string;
  /** The files of the profile, named relative to it. */
  readonly entries: readonly ZipEntry[];
}

/**
 * Reads the directory of a profile's zip from any tool: names may begin with `./`, the profile may lie in one or
 * more folders, and there may be entries outside it. Files in the profile are judged as strictly as in a zip of
 * our own; nothing else is ever unpacked.
 *
 * @throws SnapshotUnsafeError or SnapshotCorruptError naming the entry
 */
export async function readForeignZip(source: ZipSource, limits: SnapshotLimits): Promise<ForeignZip> {
  const { records, end } = await readZipRecords(source, limits);
  const named = records
    .map((record) => ({ name: nameOf(record), record }))
    .filter(({ name }) => name !== './');
  for (const { name } of named) assertStaysInside(name);
  const wanted = named.filter((entry) => !isLitter(entry));
  const root = rootOf(wanted.map(({ name }) => name));
  const inside = wanted
    .filter(({ name }) => name.startsWith(root))
    .map(({ name, record }) => ({ name: name.slice(root.length), record }));
  const files = inside.filter((entry) => !isFolder(entry));
  return { folder: root, entries: await judgeRecords(source, limits, end, files) };
}

/** The normalised name: `/` between names, no `./` in front. */
function nameOf(record: DirectoryRecord): string {
  if (record.fileNameLength === 0) throw new SnapshotUnsafeError('an entry of the zip has no name');
  const { pathBuffer, versionMadeBy } = record;
  // A name in an old code page belongs to no file of the login; it only must not pass for another name.
  const isUtf8 = Buffer.from(record.path).equals(pathBuffer);
  const name = isUtf8 ? record.path : pathBuffer.toString('latin1');
  const isFromWindows = [FAT, NTFS].includes(versionMadeBy >>> 8);
  const path = isFromWindows && !name.includes('/') ? name.replaceAll('\\', '/') : name;
  return path === './' ? path : path.replace(/^(?:\.\/)+(?=.)/s, '');
}

function isLitter({ name, record }: ZipRecord): boolean {
  const names = name.split('/');
  const last = names.at(-1) ?? '';
  if (fileTypeOf(record) === SYMBOLIC_LINK) return CHROMIUM_LINK.test(last);
  return names[0] === '__MACOSX' || LITTER.test(last);
}

/** Also checks the name of a folder, because somebody may hide something there. */
function isFolder(entry: ZipRecord): boolean {
  if (entry.name === '') return true; // the folder around the profile itself
  if (!isPlainFolder(entry)) return false;
  assertSafePath(entry.name.slice(0, -1));
  return true;
}

function rootOf(names: readonly string[]): string {
  const roots = new Set<string>();
  for (const name of names) {
    const at = placesOf(name).find((place) => isEssential(name.slice(place)));
    if (at !== undefined) roots.add(name.slice(0, at));
  }
  if (roots.has('') || (roots.size === 0 && names.includes(MANIFEST_NAME))) return '';
  const [root, ...others] = roots;
  if (root === undefined) {
    throw new SnapshotCorruptError("the zip holds no login of WhatsApp Web below a folder 'Default'");
  }
  if (others.length > 0) {
    const some = [root, ...others].slice(0, 5).map((one) => quoteName(one.slice(0, -1)));
    throw new SnapshotUnsafeError(
      `the zip holds ${roots.size} profiles, below ${some.join(', ')}: make a zip of one of them`,
    );
  }
  return root;
}

/**
 * The positions in a name where the profile may begin, the outermost first, because a profile inside a profile
 * does not count.
 */
function placesOf(name: string): readonly number[] {
  const places: number[] = [];
  for (let at = name.indexOf(PROFILE_FOLDER); at >= 0; at = name.indexOf(PROFILE_FOLDER, at + 1)) {
    if (places.length >= MAX_PLACES) break;
    if (at === 0 || name[at - 1] === '/') places.push(at);
  }
  return places;
}
