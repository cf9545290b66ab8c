import type { FileSystem } from '../../../src/file-system.js';
import { walkFiles } from '../../../src/profile/walk.js';
import { CLIENT_ID } from './world.js';

const ID = String.raw`\d{8}T\d{9}Z-[0-9a-f]{8}`;
const SIDE = String.raw`auth/\.session-${CLIENT_ID}\.persistent`;

/** Every file that a session may own below the folder of its bot. Any other file there was left behind. */
const KNOWN: readonly RegExp[] = [
  /^auth\/session-shop\//,
  /^old\/session-shop(\/|\.moved\.json$)/,
  new RegExp(`^${SIDE}/(session|browser|browser-program)\\.json$`),
  new RegExp(`^${SIDE}/quarantine/${ID}/(reason\\.json$|profile/|in-the-way/)`),
  new RegExp(`^${SIDE}/lease/${CLIENT_ID}\\.\\d+\\.lease$`),
  new RegExp(`^session/lease/${CLIENT_ID}\\.\\d+\\.lease$`),
  new RegExp(`^session/store/${CLIENT_ID}/objects/[0-9a-f]{2}/[0-9a-f]{64}$`),
  new RegExp(`^session/store/${CLIENT_ID}/objects/packs/[0-9a-f]{64}\\.pack$`),
  new RegExp(`^session/manifests/${CLIENT_ID}/[0-9a-f]{32}\\.json$`),
  new RegExp(`^session/store/${CLIENT_ID}/snapshots/${ID}\\.json$`),
  // What tells that a login was cleared outlives it.
  new RegExp(`^session/\\.${CLIENT_ID}\\.cleared-[0-9a-f]{16}\\.json$`),
  new RegExp(`^(session/store|backup)/${CLIENT_ID}/state(-copy)?\\.json$`),
  new RegExp(`^backup/${CLIENT_ID}/${CLIENT_ID}_${ID}_run\\d+\\.zip$`),
];

/** What the other side of a remote store has not finished is not for the session to remove. */
const OF_SERVER = /^session\/store\/(.+\/)?\.(tmp|lock|unlock)-/;

const YOUNG_MS = 5000;

export interface Leftovers {
  /** Paths, relative to the folder, of files that match none of the known patterns. */
  readonly strange: readonly string[];
  readonly leaseFiles: number;
  readonly quarantined: number;
  /** Number of verification records whose snapshot is gone. */
  readonly staleRecords: number;
  readonly files: number;
}

/** Finds the files below a bot's folder that should not be there. */
export async function findLeftovers(
  fs: FileSystem,
  folder: string,
  ids: ReadonlySet<string>,
  isRemote = false,
): Promise<Leftovers> {
  const strange: string[] = [];
  const quarantined = new Set<string>();
  let leaseFiles = 0;
  let staleRecords = 0;
  let files = 0;
  for await (const { path, size, modifiedMs } of walkFiles(fs, folder, '')) {
    files++;
    const isKnown = KNOWN.some((known) => known.test(path)) || (isRemote && OF_SERVER.test(path));
    if (!isKnown && !isYoungLock(path, size, modifiedMs)) strange.push(path);
    if (path.endsWith('.lease')) leaseFiles++;
    const entry = /\/quarantine\/([^/]+)\//.exec(path)?.[1];
    if (entry !== undefined) quarantined.add(entry);
    const record = /\/verified\/([^/]+)\.json$/.exec(path)?.[1];
    if (record !== undefined && !ids.has(record)) staleRecords++;
  }
  return { strange, leaseFiles, quarantined: quarantined.size, staleRecords, files };
}

/** A lock that the killed process had not written yet has no known owner, so it is allowed for some seconds. */
function isYoungLock(path: string, size: number, modifiedMs: number): boolean {
  return /\/\.(un)?lock-/.test(path) && size === 0 && Date.now() - modifiedMs < YOUNG_MS;
}
