import { readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { browsersOf } from '../supervising/browsers.js';

/** The values that must not grow, measured while the session is ready and no work is running. */
export interface Measure {
  readonly round: number;
  readonly heapMb: number;
  readonly rssMb: number;
  /** The number of resources that keep node's event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** The number of open files and sockets of this process, by kind. */
  readonly descriptors: Readonly<Record<string, number>>;
  readonly browserProcesses: number;
  /** The number of files in the folders for temporary files and for staging, beside the profile and in the stores. */
  readonly temporaryFiles: number;
  /** The number of all other files of the session, without the profile itself. */
  readonly keptFiles: number;
  /** The number of quarantined profiles; they are kept by age and size, not by number. */
  readonly quarantined: number;
}

export interface Places {
  readonly folder: string;
  readonly temporaryDir: string;
  readonly profileDir: string;
}

const MEGABYTE = 1024 * 1024;
/** Resources of momentary work, for example a file access or a pause of the test. */
const PASSING = /^(FSReq|Timeout$|Immediate$|GetAddrInfo|CloseReq|TickObject)/;
const QUARANTINED = /\/quarantine\/([^/]+)\//;
const TEMPORARY = /(^|\/)staging\/.|\.tmp$|\.partial$|\.part$/;

export async function measure(round: number, places: Places): Promise<Measure> {
  await collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  const files = await filesOf(places);
  const temporary = (await readdir(places.temporaryDir, { recursive: true })).filter(
    (name) => !name.startsWith('tsx-'), // files of tsx, which runs these sources
  );
  const leftInFolders = files.filter((file) => TEMPORARY.test(file));
  return {
    round,
    heapMb: heapUsed / MEGABYTE,
    rssMb: rss / MEGABYTE,
    resources: count(process.getActiveResourcesInfo().filter((kind) => !PASSING.test(kind))),
    descriptors: count(await descriptorKinds()),
    browserProcesses: (await browsersOf(places.folder)).length,
    temporaryFiles: temporary.length + leftInFolders.length,
    keptFiles: files.filter((file) => !QUARANTINED.test(file)).length - leftInFolders.length,
    quarantined: new Set(files.map((file) => QUARANTINED.exec(file)?.[1]).filter(Boolean)).size,
  };
}

/** Collects twice, with a turn in between, so that objects released by finalizers are collected as well. */
async function collectGarbage(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('run node with --expose-gc (npm run soak does)');
  for (let pass = 0; pass < 2; pass++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
}

async function filesOf({ folder, temporaryDir, profileDir }: Places): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(`${profileDir}/`) && !path.startsWith(`${temporaryDir}/`))
    .map((path) => path.slice(folder.length + 1));
}

async function descriptorKinds(): Promise<string[]> {
  const kinds: string[] = [];
  for (const name of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${name}`).catch(() => undefined);
    if (target === undefined) continue; // the descriptor that was used to list the folder
    if (target.startsWith('/')) kinds.push(`file ${basename(dirname(target))}/`);
    else kinds.push(target.replace(/:?\[.*/, ''));
  }
  return kinds;
}

function count(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of [...kinds].sort()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
