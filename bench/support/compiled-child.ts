import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Addresses of the built package. */
export const BUILT = {
  library: pathToFileURL(join(ROOT, 'dist/index.js')).href,
  testing: pathToFileURL(join(ROOT, 'dist/testing/index.js')).href,
} as const;

/** Compiles a script of bench/children for plain node. Returns its path. */
export async function compileChild(name: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(ROOT, 'bench/children', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return outfile;
}
