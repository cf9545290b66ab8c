import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/** The packages of archiver that write a zip. Their licences (MIT) go into the build with them. */
const WRITING =
  /[\\/]node_modules[\\/](archiver|zip-stream|compress-commons|crc32-stream|async|is-stream|normalize-path)[\\/]/;
/** What archiver loads for other archives and for reading folders itself. */
const LEFT_OUT = /^(tar-stream|readdir-glob|lazystream|buffer-crc32)$/;

/** Modules of node that do the same as packages of archiver. */
const REPLACED: Readonly<Record<string, string>> = {
  // It gives node's own streams itself where READABLE_STREAM=disable is set.
  'readable-stream': `export { PassThrough, Transform } from 'node:stream';`,
  'crc-32': `
    import { crc32 } from 'node:zlib';
    export default { buf: (bytes, seed) => crc32(bytes, Number.isInteger(seed) ? seed >>> 0 : 0) };`,
  // The whole package is ten times as large as its queue.
  async: `export { default as queue } from 'async/queue.js';`,
};

/**
 * Includes archiver 8 in the build, with its licences, but only the part that writes zips (docs/dependencies.md says
 * why). The ES modules need this because a bundle of modules has no `require`, which packages below archiver call; the
 * worker because it is one file.
 *
 * @param importedFrom extension of output files that import the installed package instead
 */
export function inlineArchiver({ importedFrom }: { readonly importedFrom?: '.cjs' } = {}): Plugin {
  return {
    name: 'inline-archiver',
    setup(build) {
      const extension = build.initialOptions.outExtension?.['.js'];
      if (extension !== undefined && extension === importedFrom) {
        build.onResolve({ filter: /^archiver$/ }, ({ path }) => ({ path, external: true }));
        return;
      }
      build.onResolve({ filter: LEFT_OUT }, ({ importer, path }) =>
        WRITING.test(importer) ? { path, namespace: 'left-out-of-archiver' } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'left-out-of-archiver' }, () => ({
        contents: 'export class Readable {}\nexport default {};',
      }));
      build.onResolve({ filter: /^(readable-stream|crc-32|async)$/ }, ({ importer, path }) =>
        WRITING.test(importer) ? { path, namespace: 'replaced-in-archiver' } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'replaced-in-archiver' }, ({ path }) => ({
        contents: REPLACED[path] ?? '',
        resolveDir: process.cwd(),
      }));
      const noticed = new Set<string>();
      build.onStart(() => noticed.clear());
      build.onLoad({ filter: WRITING }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const found = WRITING.exec(path);
        const name = found?.[1] ?? '';
        if (found === null || noticed.has(name)) return { contents: text, loader: 'js' };
        noticed.add(name);
        const folder = path.slice(0, found.index + found[0].length);
        return { contents: `/*! Parts of ${name}:\n${licenceIn(folder)}*/\n${text}`, loader: 'js' };
      });
    },
  };
}

function licenceIn(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  return readFileSync(join(folder, file), 'utf8');
}
