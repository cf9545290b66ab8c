import { describeError } from '../errors.js';
import { defineTask, type TaskContext } from '../task.js';
import type { CapturedFile, CapturedTree, CaptureMode, SoundnessReport } from '../types.js';
import { captureProfile } from './capture.js';
import { dataVersionText, readDataVersion } from './data-version.js';
import { ESSENTIAL_PATHS, listEssentialFiles } from './essential-files.js';
import { followedSignatures } from './follow/followed-signatures.js';
import type { FollowInput, KeptBase } from './follow/kept-base.js';
import { makeBase, prepareForBase } from './follow/make-base.js';
import type { MissingBlob } from './missing-blobs.js';
import { knownSound, NO_SOUND_TABLES, rememberSound, type SoundTables } from './sound-tables.js';
import { examineProfile } from './soundness.js';
import { throwIfAborted } from './walk.js';

/** Input of {@link captureProfile} that can be sent to a worker thread. */
export interface CaptureInput {
  readonly profileDir: string;
  readonly targetDir: string;
  readonly mode: CaptureMode;
  readonly links?: boolean;
  /** Default none: every block of every table is read. */
  readonly soundTables?: SoundTables;
  /** The base to follow, and where to keep a new one. Default: none is kept. */
  readonly follow?: FollowInput;
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
  /** The base that the next capture can follow. */
  readonly base?: KeptBase;
  /** Why the base that was given was not followed. */
  readonly newBaseBecause?: string;
}

/** Copies a profile and checks the copy. Use the capture only if `report.verdict` is `sound`. */
export const captureTask = defineTask<CaptureInput, CheckedCapture>(
  'profile:capture',
  async (input, context) => {
    let newBaseBecause: string | undefined;
    if (input.follow?.base !== undefined) {
      try {
        const followed = await captureAndCheck(input, context);
        if (followed.report.verdict === 'sound') return followed;
        const [finding] = followed.report.findings;
        newBaseBecause = `its copy is ${followed.report.verdict}: ${finding?.file}: ${finding?.problem}`;
      } catch (error) {
        throwIfAborted(context.signal);
        newBaseBecause = describeError(error).message;
      }
      await context.fs.promises.rm(input.targetDir, { recursive: true, force: true });
    }
    const captured = await captureAnew(input, context);
    return newBaseBecause === undefined ? captured : { ...captured, newBaseBecause };
  },
);

/** Copies the database itself, and keeps the copy as a base. */
async function captureAnew(input: CaptureInput, context: TaskContext): Promise<CheckedCapture> {
  const { follow, ...alone } = input;
  const place = { fs: context.fs, profileDir: input.profileDir };
  const mayKeep = follow !== undefined && (await prepareForBase(place, follow));
  const captured = await captureAndCheck(alone, context);
  if (!mayKeep || captured.report.verdict !== 'sound') return captured;
  const base = await makeBase(place, follow, captured.tree);
  if (base === undefined) return captured;
  const { dataVersion } = captured;
  return { ...captured, base: { ...base, ...(dataVersion !== undefined && { dataVersion }) } };
}

async function captureAndCheck(
  { soundTables = NO_SOUND_TABLES, follow, ...input }: CaptureInput,
  context: TaskContext,
): Promise<CheckedCapture> {
  const base = follow?.base;
  const { directory, files, missingBlobs, followed } = await captureProfile({ ...input, ...context, base });
  const { report, tables } = await examineProfile(directory, {
    ...context,
    depth: 'deep',
    soundTables: knownSound(files, soundTables),
    soundLogs: followed?.soundLogs,
  });
  const hashed = files.map((file) => {
    const sha256 = tables.get(file.path);
    return sha256 === undefined ? file : { ...file, sha256 };
  });
  const dataVersion = base === undefined ? await dataVersionOf(directory, context) : base.dataVersion;
  return {
    tree: { directory, files: hashed },
    report,
    soundTables: rememberSound(files, tables),
    missingBlobs,
    ...(followed !== undefined && { base: followed.base }),
    ...(dataVersion !== undefined && { dataVersion }),
  };
}

async function dataVersionOf(profileDir: string, context: TaskContext): Promise<string | undefined> {
  const found = await readDataVersion({ ...context, profileDir });
  return found && dataVersionText(found);
}

const { indexedDbLevelDb, indexedDbBlobs, localStorageLevelDb } = ESSENTIAL_PATHS;
/** Folders where every write changes a file's size or inode, so that its signature changes; SQLite overwrites in place. */
const TOLD_BY_SIGNATURE = [indexedDbLevelDb, indexedDbBlobs, localStorageLevelDb].map((path) => `${path}/`);

/**
 * Lists the essential files of a live profile with their signatures, in the form of a capture, without reading or copying
 * them. With a base, IndexedDB's files are those of the base and its logs: what LevelDB only rewrites is no change. The list
 * is empty if the signatures would not show every change.
 */
export const liveSignaturesTask = defineTask<
  { readonly profileDir: string; readonly base?: KeptBase },
  readonly CapturedFile[]
>('profile:live-signatures', async ({ profileDir, base }, { fs }) => {
  const files = await listEssentialFiles(profileDir, { fs });
  const areTold = files.every(({ path }) => TOLD_BY_SIGNATURE.some((folder) => path.startsWith(folder)));
  if (!areTold) return [];
  const live = files.map(({ path, size, signature }) => ({ path, size, source: signature }));
  return base === undefined ? live : followedSignatures({ fs, profileDir }, base, live);
});
