import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** unzipper's parser of a zip's directory, the only part of unzipper that the library uses. */
const DIRECTORY = /^unzipper\/lib\/Open\/directory\.js$/;
/** The parts of unzipper that unpack entries. The library unpacks them itself, with limits. */
const UNPACKING = /^(\.\/unzip|\.\.\/BufferStream|fs-extra)$/;
const PROMISES = fileURLToPath(new URL('promises.ts', import.meta.url));
const LICENSE = new URL('../../node_modules/unzipper/LICENSE', import.meta.url);

/**
 * Includes unzipper's parser of a zip's directory in the build, with its licence (docs/bundling.md says why), but
 * neither the code that unpacks entries nor a promise library. Node's own modules are imported, because an ESM bundle
 * has no `require`.
 *
 * @param requiredFrom extension of output files that require the installed package instead
 */
export function inlineUnzipper({ requiredFrom }: { readonly requiredFrom?: '.cjs' } = {}): Plugin {
  return {
    name: 'inline-unzipper',
    setup(build) {
      const extension = build.initialOptions.outExtension?.['.js'];
      if (extension !== undefined && extension === requiredFrom) {
        build.onResolve({ filter: DIRECTORY }, ({ path }) => ({ path, external: true }));
        return;
      }
      build.onResolve({ filter: UNPACKING }, ({ importer, path }) =>
        isOfUnzipper(importer) ? { path, namespace: 'left-out' } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
        contents: `module.exports = () => { throw new Error('${path} of unzipper is not a part of this build'); };`,
      }));
      build.onResolve({ filter: /^bluebird$/ }, ({ importer }) =>
        isOfUnzipper(importer) ? { path: PROMISES } : undefined,
      );
      build.onResolve({ filter: /^[a-z/:_]+$/ }, ({ importer, kind, path }) =>
        kind === 'require-call' && isOfUnzipper(importer) && isBuiltin(path)
          ? { path, namespace: 'required-builtin' }
          : undefined,
      );
      // Two steps, so that `require` returns the module itself and not the namespace whose default export it is.
      build.onLoad({ filter: /.*/, namespace: 'required-builtin' }, ({ path }) => ({
        contents: `module.exports = require('imported:${path}').default;`,
      }));
      build.onResolve({ filter: /^imported:/ }, ({ path }) => ({ path, namespace: 'imported-builtin' }));
      build.onLoad({ filter: /.*/, namespace: 'imported-builtin' }, ({ path }) => ({
        contents: `export { default } from '${path.replace('imported:', 'node:')}';`,
      }));
      build.onLoad({ filter: /unzipper[\\/]lib[\\/]Open[\\/]directory\.js$/ }, ({ path }) => ({
        contents: `/*! Parts of unzipper:\n${readFileSync(LICENSE, 'utf8')}*/\n${readFileSync(path, 'utf8')}`,
      }));
    },
  };
}

function isOfUnzipper(importer: string): boolean {
  return /[\\/]unzipper[\\/]/.test(importer);
}
