import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Stands in the entry file. A bundled app may have a `worker.cjs` of its own beside the library's code. */
const WORKER_MARK = 'wwebjs-persistent-session:worker-thread';

/**
 * Where the worker's file is: beside the code that this is a part of, or one folder up; in `dist`, when it runs from its
 * TypeScript sources; beside the program that was started. `undefined` in an app whose bundler took the library in without its worker.
 *
 * It is CommonJS in either format of the package: a thread is up sooner with it than with modules.
 */
export function locateWorker(files: readonly (string | undefined)[] = codeFiles()): URL | undefined {
  return files.filter(isFileUrl).flatMap(candidatesBeside).find(isOurWorker);
}

/**
 * Which file this code is in has a name in each format of modules, and bundlers leave neither of them, or one that
 * names the file they took the code from: so the program's own file comes last.
 */
function codeFiles(): readonly (string | undefined)[] {
  const [, program] = process.argv;
  return [import.meta.url, commonJsFile(), program === undefined ? undefined : pathToFileURL(program).href];
}

/** Tried, not asked for by `typeof`: webpack answers that while it bundles, and in a module there is no such name. */
function commonJsFile(): string | undefined {
  try {
    return pathToFileURL(__filename).href;
  } catch {
    return undefined;
  }
}

function isFileUrl(url: string | undefined): url is string {
  return url?.startsWith('file:') === true;
}

function candidatesBeside(file: string): readonly URL[] {
  const paths = file.endsWith('.ts') ? ['../../dist/worker.cjs'] : ['./worker.cjs', '../worker.cjs'];
  return paths.map((path) => new URL(path, file));
}

function isOurWorker(url: URL): boolean {
  try {
    return readFileSync(url, 'utf8').includes(WORKER_MARK);
  } catch {
    return false;
  }
}
