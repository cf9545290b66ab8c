import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * This text is in the worker's entry file. It is checked because a bundled app may have another `worker.cjs`
 * beside the library's code.
 */
const WORKER_MARK = 'wwebjs-persistent-session:worker-thread';

/**
 * Finds the worker's file: beside this code or one folder up; in `dist` when this code runs from its TypeScript
 * sources; beside the program that was started. `undefined` in an app whose bundler included the library without
 * its worker.
 *
 * The worker is CommonJS in both formats of the package, because a thread starts faster with it than with ES
 * modules.
 */
export function locateWorker(files: readonly (string | undefined)[] = codeFiles()): URL | undefined {
  return files.filter(isFileUrl).flatMap(candidatesBeside).find(isOurWorker);
}

/**
 * The name of the file with this code is read differently in each module format. Bundlers remove both names, or
 * leave the name of the original source file, so the file of the program itself comes last.
 */
function codeFiles(): readonly (string | undefined)[] {
  const [, program] = process.argv;
  return [import.meta.url, commonJsFile(), program === undefined ? undefined : pathToFileURL(program).href];
}

/**
 * Uses `try`, not `typeof`: webpack evaluates `typeof __filename` while it bundles, and an ES module has no such
 * name.
 */
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
