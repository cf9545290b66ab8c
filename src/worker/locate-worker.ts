import { readFileSync } from 'node:fs';

/** Stands in the entry file. A bundled app may have a `worker.cjs` of its own beside the library's code. */
const WORKER_MARK = 'wwebjs-persistent-session:worker-thread';

/**
 * Where the worker's file is: beside the built chunk this code runs from, or, when it runs from its TypeScript
 * sources, in `dist`. The CommonJS one in either format of the package: a thread is up sooner with it than with modules that are fetched one by one.
 * `undefined` in an app whose bundler took the library in without its worker.
 */
export function locateWorker(here: string = import.meta.url): URL | undefined {
  const candidates = here.endsWith('.ts') ? ['../../dist/worker.cjs'] : ['./worker.cjs', '../worker.cjs'];
  return candidates.map((path) => new URL(path, here)).find(isOurWorker);
}

function isOurWorker(url: URL): boolean {
  try {
    return readFileSync(url, 'utf8').includes(WORKER_MARK);
  } catch {
    return false;
  }
}
