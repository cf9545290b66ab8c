import type { File as DirectoryRecord } from 'unzipper';
import { SnapshotCorruptError, SnapshotUnsafeError } from '../../errors.js';
import { isEssential } from '../../profile/essential-files.js';
import type { SnapshotLimits } from '../limits.js';
import { assertSafePath, assertStaysInside, quoteName } from '../safe-path.js';
import { fileTypeOf, isPlainFolder, judgeRecords, readZipRecords, type ZipRecord } from './zip-directory.js';
import { MANIFEST_NAME } from './zip-head.js';
import type { ZipEntry } from './zip-records.js';
import type { ZipSource } from './zip-source.js';

/** Systems whose tools may write `\` between names: .NET before 4.6.1, and with it PowerShell 5 (APPNOTE.TXT 4.4.2.2). */
const FAT = 0;
const NTFS = 10;
const SYMBOLIC_LINK = 0xa000;
/** Links that Chromium keeps beside a profile while it runs; it makes them anew. */
const CHROMIUM_LINK = /^(Singleton(Lock|Cookie|Socket)|RunningChromeVersion)$/;
/** Where every path of the login begins. */
const PROFILE_FOLDER = 'Default/';
/** A name may have thousands of places where the profile could begin; an honest one has one or two. */
const MAX_PLACES = 8;
/** What macOS and Windows leave in any folder: never part of a login, wherever it lies. */
const LITTER = /^(__MACOSX|\._.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

/** What a zip holds of a profile. */
export interface ForeignZip {
  /** What stands in front of every path of the profile: nothing, or the folders around it with a `/` at the end. */
  readonly folder: string;
  /** The files of the profile, named relative to it. */
  readonly entries: readonly ZipEntry[];
}

/**
 * Reads the directory of a zip of a profile that some tool made: names may begin with `./`, one or more folders may stand
 * around the profile, and entries may be there that are no part of it. What lies in the profile is judged as strictly as
 * in a zip of our own; nothing else is ever unpacked.
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

/** As it is meant: `/` between names, no `./` in front. */
function nameOf(record: DirectoryRecord): string {
  if (record.fileNameLength === 0) throw new SnapshotUnsafeError('an entry of the zip has no name');
  const { pathBuffer, versionMadeBy } = record;
  // A name in an old code page belongs to no file of the login; what matters is that it can't pass for another one.
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

/** Judges the name of a folder too: whoever hides something there is refused. */
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

/** Where in a name the profile may begin, the outermost first: a profile inside a profile is none. */
function placesOf(name: string): readonly number[] {
  const places: number[] = [];
  for (let at = name.indexOf(PROFILE_FOLDER); at >= 0; at = name.indexOf(PROFILE_FOLDER, at + 1)) {
    if (places.length >= MAX_PLACES) break;
    if (at === 0 || name[at - 1] === '/') places.push(at);
  }
  return places;
}
