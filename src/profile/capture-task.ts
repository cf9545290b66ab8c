import { defineTask } from '../task.js';
import type { CapturedTree, CaptureMode, SoundnessReport } from '../types.js';
import { captureProfile } from './capture.js';
import { knownSound, NO_SOUND_TABLES, type SoundTables } from './sound-tables.js';
import { checkProfile } from './soundness.js';

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
}

/** Copies a profile and checks the copy. A capture is worth nothing unless `report.verdict` is `sound`. */
export const captureTask = defineTask<CaptureInput, CheckedCapture>(
  'profile:capture',
  async ({ soundTables = NO_SOUND_TABLES, ...input }, context) => {
    const { directory, files } = await captureProfile({ ...input, ...context });
    const known = knownSound(files, soundTables);
    const report = await checkProfile(directory, { ...context, depth: 'deep', soundTables: known });
    return { tree: { directory, files }, report };
  },
);
