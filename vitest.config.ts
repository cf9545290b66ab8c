import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What the examples import, as it stands in the sources. */
const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));
const alias = {
  'wwebjs-persistent-session/http': source('http/index.ts'),
  'wwebjs-persistent-session': source('index.ts'),
};

/** The main story in real Chromium, which every `npm test` plays: pair, save, damage, restore. */
const STORY = ['test/e2e/pairing.test.ts', 'test/e2e/restore.test.ts'];

/** Simulations and races of real processes that take long; `npm run test:all` has them. */
const LONG = [
  'test/chaos-short.test.ts',
  'test/profile/install.test.ts',
  'test/session/calls-on-hanging-disk.test.ts',
  'test/session/slow-disk.test.ts',
  'test/session/states.test.ts',
  'test/snapshot/zip/zip64.test.ts',
  'test/stores/{crash,processes}.test.ts',
  'test/supervision/outages.test.ts',
];

/** The tests wait more than they work: four at a time keep two cores busy. Vitest itself runs one on two cores. */
const WORKERS = 4;

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/simulator/**', ...LONG],
          testTimeout: 60_000,
          maxWorkers: WORKERS,
        },
      },
      {
        resolve: { alias },
        test: { name: 'long', include: LONG, testTimeout: 60_000, maxWorkers: WORKERS },
      },
      {
        test: {
          name: 'story',
          include: STORY,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/simulator/**/*.test.ts'],
          exclude: STORY,
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
