import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'http/index': 'src/http/index.ts',
    'testing/index': 'src/testing/index.ts',
    worker: 'src/worker/entry.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  splitting: true,
  shims: true,
  clean: true,
  sourcemap: true,
  // TypeScript 6 deprecates the baseUrl that tsup's declaration build sets by itself.
  dts: {
    entry: {
      index: 'src/index.ts',
      'http/index': 'src/http/index.ts',
      'testing/index': 'src/testing/index.ts',
    },
    compilerOptions: { ignoreDeprecations: '6.0' },
  },
});
