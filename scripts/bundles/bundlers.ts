import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import commonjsModule from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import ncc from '@vercel/ncc';
import { build } from 'esbuild';
import { type Plugin, rollup } from 'rollup';
import webpack from 'webpack';

/** A way to bundle: reads the bot's source, writes the bundle into a folder, and returns the file to start. */
export interface Bundler {
  readonly name: string;
  /** The module format of the bot's own source. */
  readonly source: 'esm' | 'cjs';
  bundle(entry: string, folder: string): Promise<string>;
}

type Format = 'esm' | 'cjs';

/** The package's types describe a CommonJS file, but it is loaded as an ES module. */
const commonjs = commonjsModule as unknown as () => Plugin;

/** Each bundler has as few settings as it needs, because users try it without settings first. */
export const BUNDLERS: readonly Bundler[] = [
  esbuild('esm', 'cjs'),
  esbuild('esm', 'cjs', { minify: true }),
  esbuild('esm', 'esm'),
  esbuild('cjs', 'cjs'),
  withRollup('esm'),
  withRollup('cjs'),
  withWebpack('esm', 'cjs'),
  withWebpack('esm', 'esm'),
  withWebpack('cjs', 'cjs'),
  withNcc('esm'),
  withNcc('cjs'),
];

function esbuild(source: Format, format: Format, { minify = false } = {}): Bundler {
  return {
    name: `esbuild, ${source} to ${format}${minify ? ', minified' : ''}`,
    source,
    async bundle(entry, folder) {
      const outfile = join(folder, nameOf(format));
      const { warnings } = await build({
        entryPoints: [entry],
        outfile,
        format,
        minify,
        bundle: true,
        platform: 'node',
        logLevel: 'silent',
      });
      if (warnings.length > 0) throw new Error(JSON.stringify(warnings, null, 2));
      return outfile;
    },
  };
}

function withRollup(format: Format): Bundler {
  return {
    name: `rollup, esm to ${format}`,
    source: 'esm',
    async bundle(entry, folder) {
      const bundle = await rollup({
        input: entry,
        plugins: [nodeResolve({ preferBuiltins: true }), commonjs()],
        onwarn: ({ code, message }) => {
          if (code !== 'CIRCULAR_DEPENDENCY') throw new Error(message);
        },
      });
      await bundle.write({ dir: folder, format, entryFileNames: nameOf(format) });
      await bundle.close();
      return join(folder, nameOf(format));
    },
  };
}

function withWebpack(source: Format, format: Format): Bundler {
  return {
    name: `webpack, ${source} to ${format}`,
    source,
    bundle: (entry, folder) =>
      new Promise((resolve, reject) => {
        const isModule = format === 'esm';
        const output = {
          path: folder,
          filename: nameOf(format),
          ...(isModule && { module: true, library: { type: 'module' }, chunkFormat: 'module' }),
        };
        const experiments = isModule ? { outputModule: true } : {};
        // The optimizer takes most of the time, so it runs only once.
        const mode = source === 'esm' && !isModule ? 'production' : 'none';
        webpack({ mode, target: 'node20', entry, output, experiments }, (error, stats) => {
          if (error) return reject(error);
          if (stats?.hasErrors() || stats?.hasWarnings())
            return reject(new Error(stats.toString('errors-warnings')));
          resolve(join(folder, nameOf(format)));
        });
      }),
  };
}

function withNcc(source: Format): Bundler {
  return {
    name: `ncc, ${source}`,
    source,
    async bundle(entry, folder) {
      const { code, assets } = await ncc(entry, { cache: false, quiet: true });
      mkdirSync(folder, { recursive: true });
      for (const [name, { source: bytes }] of Object.entries(assets))
        writeFileSync(join(folder, name), bytes);
      // An ESM bundle is itself a module (`import.meta`); ncc decides this by the package.json in the folder.
      const file = join(folder, nameOf(source));
      writeFileSync(file, code);
      return file;
    },
  };
}

function nameOf(format: string): string {
  return format === 'esm' ? 'bot.mjs' : 'bot.cjs';
}
