import { defineConfig, type Options } from 'tsup';
import { inlineArchiver } from './scripts/build/inline-archiver.js';
import { inlineUnzipper } from './scripts/build/inline-unzipper.js';
import { keepImport } from './scripts/build/keep-import.js';

const common = { target: 'node20', platform: 'node', sourcemap: true } satisfies Options;

const library = {
  ...common,
  entry: {
    index: 'src/index.ts',
    'http/index': 'src/http/index.ts',
    'stores/s3/index': 'src/stores/s3/index.ts',
    'stores/postgres/index': 'src/stores/postgres/index.ts',
    'stores/redis/index': 'src/stores/redis/index.ts',
    'testing/index': 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  // TypeScript 6 deprecates the baseUrl that tsup's declaration build sets by itself.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
} satisfies Options;

/** The declarations alone, beside a build without them (tsup.types.config.ts). */
export const declarations: Options = { ...library, dts: { ...library.dts, only: true }, clean: false };

export default defineConfig([
  {
    ...library,
    splitting: true,
    clean: ['!worker.*'],
    // A bundler follows what CommonJS requires; modules carry the parts of unzipper and archiver that they need.
    noExternal: [/^unzipper\//, /^archiver$/],
    esbuildPlugins: [inlineUnzipper({ requiredFrom: '.cjs' }), inlineArchiver({ importedFrom: '.cjs' })],
    plugins: [keepImport('archiver')],
    // CommonJS knows its file by `__filename` (src/worker/locate-worker.ts).
    esbuildOptions(options, { format }) {
      if (format === 'cjs') options.define = { ...options.define, 'import.meta.url': 'undefined' };
    },
  },
  {
    ...common,
    // One file that needs no other: an application that is bundled copies it beside its bundle (docs/bundling.md).
    entry: { worker: 'src/worker/entry.ts' },
    format: ['cjs'],
    splitting: false,
    noExternal: [/.*/],
    esbuildPlugins: [inlineUnzipper(), inlineArchiver()],
  },
]);
