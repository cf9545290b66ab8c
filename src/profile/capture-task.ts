import { defineTask } from '../task.js';
import type { CapturedFile, CapturedTree, CaptureMode, SoundnessReport } from '../types.js';
import { captureProfile } from './capture.js';
import { dataVersionText, readDataVersion } from './data-version.js';
import { ESSENTIAL_PATHS, listEssentialFiles } from './essential-files.js';
import type { MissingBlob } from './missing-blobs.js';
import { knownSound, NO_SOUND_TABLES, rememberSound, type SoundTables } from './sound-tables.js';
import { examineProfile } from './soundness.js';

/** See {@link captureProfile}; structured-clonable. */
export interface CaptureInput {
  readonly profileDir: string;
  readonly targetDir: string;
  readonly mode: CaptureMode;
  readonly links?: boolean;
  /** Default none: every block of every table is read. */
  readonly soundTables?: SoundTables;
}

/** A copy of a profile, and what the deep check said of the copy. */
export interface CheckedCapture {
  readonly tree: CapturedTree;
  readonly report: SoundnessReport;
  /** Of the live profile. */
  readonly soundTables: SoundTables;
  /** Blobs that the profile has lost. */
  readonly missingBlobs: readonly MissingBlob[];
  /** Of the copy, as a manifest names it. */
  readonly dataVersion?: string;
}

/** Copies a profile and checks the copy. A capture is worth nothing unless `report.verdict` is `sound`. */
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
/** Whatever is written here changes the size of a file or its inode; SQLite writes over what is there. */
const TOLD_BY_SIGNATURE = [indexedDbLevelDb, indexedDbBlobs, localStorageLevelDb].map((path) => `${path}/`);

/**
 * The essential files of a live profile by their signatures, as a capture would name them; nothing is copied or read.
 * None where signatures can't tell a change.
 */
export const liveSignaturesTask = defineTask<{ readonly profileDir: string }, readonly CapturedFile[]>(
  'profile:live-signatures',
  async ({ profileDir }, { fs }) => {
    const files = await listEssentialFiles(profileDir, { fs });
    const areTold = files.every(({ path }) => TOLD_BY_SIGNATURE.some((folder) => path.startsWith(folder)));
    return areTold ? files.map(({ path, size, signature }) => ({ path, size, source: signature })) : [];
  },
);
