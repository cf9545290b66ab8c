import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from '../support/bundle.js';

const ENTRY = fileURLToPath(new URL('../../src/worker/entry.ts', import.meta.url));

/** The worker's own entry, from its TypeScript sources: what the tests run is what is written, not what was built. */
export function workerOfSources(): URL {
  return pathToFileURL(bundle(ENTRY)[0]);
}
