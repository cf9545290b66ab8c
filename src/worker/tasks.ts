import { profileSizeTask } from '../profile/caches.js';
import { captureTask, liveSignaturesTask } from '../profile/capture-task.js';
import { profileFormatTask } from '../profile/data-version.js';
import { proveRestoredTask } from '../profile/follow/prove-restored.js';
import { readTailTask } from '../profile/follow/read-tail.js';
import { missingBlobsTask } from '../profile/missing-blobs.js';
import { anotherLoginTask } from '../profile/soundness/compare-logins.js';
import { continuityTask } from '../profile/soundness/continuity.js';
import { checkProfileTask, examineProfileTask } from '../profile/soundness.js';
import { copyAndHashTask, hashFilesTask } from '../snapshot/hashing/hashing.js';
import { beginsWithTask } from '../snapshot/packs/grown-files.js';
import { digestPackTask } from '../snapshot/packs/put-pack.js';
import { digestTailTask } from '../snapshot/tail/put-tail-pack.js';
import { repositoryTask } from '../snapshot/thread/repository-task.js';
import { importZipTask } from '../snapshot/zip/import-zip.js';
import { extractZipTask, verifyZipTask } from '../snapshot/zip/zip-reader.js';
import { writeZipTask } from '../snapshot/zip/zip-writer.js';
import type { Task } from '../task.js';

/** Every task that the worker knows, by name. A task that is missing here runs in the bot's own thread. */
export const TASKS: ReadonlyMap<string, Task<unknown, unknown>> = new Map(
  [
    erase(repositoryTask),
    erase(hashFilesTask),
    erase(copyAndHashTask),
    erase(digestPackTask),
    erase(beginsWithTask),
    erase(writeZipTask),
    erase(verifyZipTask),
    erase(extractZipTask),
    erase(importZipTask),
    erase(captureTask),
    erase(liveSignaturesTask),
    erase(readTailTask),
    erase(proveRestoredTask),
    erase(digestTailTask),
    erase(checkProfileTask),
    erase(examineProfileTask),
    erase(anotherLoginTask),
    erase(continuityTask),
    erase(profileSizeTask),
    erase(missingBlobsTask),
    erase(profileFormatTask),
  ].map((task) => [task.name, task]),
);

/** The type cast is safe: both sides import the same task definition, so each task receives input of its own type. */
function erase<Input, Output>({ name, run }: Task<Input, Output>): Task<unknown, unknown> {
  return { name, run: (input, context) => run(input as Input, context) };
}
