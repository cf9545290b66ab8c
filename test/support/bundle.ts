import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The only file among those bundled that asks for its own place: from there it finds the worker in `dist`. */
const ASKS_FOR_ITSELF = pathToFileURL(join(ROOT, 'src/worker/locate-worker.ts')).href;

const made = new Map<string, readonly string[]>();

/**
 * Bundles TypeScript files for child processes, which then start as fast as node itself: with tsx each would take a
 * second of processor time. What the files share stays one module. The folder has the name of its contents, so a bundle
 * is never outdated; it lies below `node_modules`, where the dependencies are found.
 *
 * @returns the paths of the bundles, in the order of `files`
 */
export function bundle<Files extends readonly string[]>(
  ...files: Files
): { readonly [Index in keyof Files]: string } {
  const id = files.join('\n');
  const paths = made.get(id) ?? build(files);
  made.set(id, paths);
  return paths as { readonly [Index in keyof Files]: string };
}

function build(files: readonly string[]): readonly string[] {
  const nameOf = (index: number) => `${index}-${basename(files[index] ?? '', '.ts')}`;
  const { outputFiles } = buildSync({
    entryPoints: files.map((file, index) => ({ in: file, out: nameOf(index) })),
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    outExtension: { '.js': '.mjs' },
    define: { 'import.meta.url': JSON.stringify(ASKS_FOR_ITSELF) },
    outdir: ROOT,
    write: false,
    logLevel: 'error',
  });
  const hash = createHash('sha256');
  for (const { path, contents } of outputFiles) hash.update(path).update(contents);
  const cache = join(ROOT, 'node_modules', '.cache', 'test-children');
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) {
    const aside = `${folder}.${process.pid}`;
    mkdirSync(aside, { recursive: true });
    for (const { path, contents } of outputFiles) writeFileSync(join(aside, basename(path)), contents);
    moveUnlessThere(aside, folder);
  }
  return files.map((_, index) => join(folder, `${nameOf(index)}.mjs`));
}

/** Another test may have made the same bundle meanwhile. */
function moveUnlessThere(aside: string, folder: string): void {
  try {
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}
