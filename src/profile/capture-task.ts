import { defineTask } from '../task.js';
import type { CapturedFile, CapturedTree, CaptureMode, SoundnessReport } from '../types.js';
import { captureProfile } from './capture.js';
import { dataVersionText, readDataVersion } from './data-version.js';
import { ESSENTIAL_PATHS, listEssentialFiles } from './essential-files.js';
import type { MissingBlob } from './missing-blobs.js';
import { knownSound, NO_SOUND_TABLES, rememberSound, type SoundTables } from './sound-tables.js';
import { examineProfile } from './soundness.js';

/** Input of {@link captureProfile} that can be sent to a worker thread. */
export interface CaptureInput {
  readonly profileDir: string;
  readonly targetDir: string;
  readonly mode: CaptureMode;
  readonly links?: boolean;
  /** Default none: every block of every table is read. */
  readonly soundTables?: SoundTables;
}

/** A copy of a profile, and the result of the deep check of that copy. */
export interface CheckedCapture {
  readonly tree: CapturedTree;
  readonly report: SoundnessReport;
  /** Tables that were found sound, with the signatures of the live profile's files. */
  readonly soundTables: SoundTables;
  /** Blobs that are missing in the profile. */
  readonly missingBlobs: readonly MissingBlob[];
  /** The copy's data version in the form that a manifest uses. */
  readonly dataVersion?: string;
}

/** Copies a profile and checks the copy. Use the capture only if `report.verdict` is `sound`. */
export const captureTask = defineTask<CaptureInput, CheckedCapture>(
  'profile:capture',
  async ({ soundTables = NO_SOUND_TABLES, ...input }, context) => {
    const { directory, files, missingBlobs } = await captureProfile({ ...input, ...context });
    const known = knownSound(files, soundTables);
    const { report, tables } = await examineProfile(directory, {
      ...context,
      depth: 'deep',
      soundTables: known,
    });
    const hashed = files.map((file) => {
      const sha256 = tables.get(file.path);
      return sha256 === undefined ? file : { ...file, sha256 };
    });
    const tree = { directory, files: hashed };
    const found = await readDataVersion({ ...context, profileDir: directory });
    const dataVersion = found && dataVersionText(found);
    return {
      tree,
      report,
      soundTables: rememberSound(files, tables),
      missingBlobs,
      ...(dataVersion !== undefined && { dataVersion }),
    };
  },
);

const { indexedDbLevelDb, indexedDbBlobs, localStorageLevelDb } = ESSENTIAL_PATHS;
/** Folders where every write changes a file's size or inode, so that its signature changes; SQLite overwrites in place. */
const TOLD_BY_SIGNATURE = [indexedDbLevelDb, indexedDbBlobs, localStorageLevelDb].map((path) => `${path}/`);

/**
 * Lists the essential files of a live profile with their signatures, in the form of a capture, without reading or copying
 * them. The list is empty if the signatures would not show every change.
 */
export const liveSignaturesTask = defineTask<{ readonly profileDir: string }, readonly CapturedFile[]>(
  'profile:live-signatures',
  async ({ profileDir }, { fs }) => {
    const files = await listEssentialFiles(profileDir, { fs });
    const areTold = files.every(({ path }) => TOLD_BY_SIGNATURE.some((folder) => path.startsWith(folder)));
    return areTold ? files.map(({ path, size, signature }) => ({ path, size, source: signature })) : [];
  },
);
