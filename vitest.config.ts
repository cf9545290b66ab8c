import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What the examples import, as it stands in the sources. */
const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));
const alias = {
  'wwebjs-persistent-session/http': source('http/index.ts'),
  'wwebjs-persistent-session': source('index.ts'),
};

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/simulator/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/simulator/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Runs in the page only; the end-to-end tests drive it there.
      exclude: ['src/http/dashboard/client/*.ts', 'src/http/dashboard/client/view/**'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { lines: 90, branches: 85 },
    },
  },
});
