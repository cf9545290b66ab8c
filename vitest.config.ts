import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

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
  'test/session/hanging-store.test.ts',
  'test/session/linked-profile.test.ts',
  'test/session/loops.test.ts',
  'test/session/qr-waits-for-hours.test.ts',
  'test/session/slow-disk.test.ts',
  'test/session/states.test.ts',
  'test/snapshot/zip/zip64.test.ts',
  'test/stores/{crash,processes}.test.ts',
  'test/supervision/outages.test.ts',
];

/**
 * The files of a project share their modules: loading them anew for each file would take a fifth of the CPU time of all
 * unit tests. Not for a project with a file that replaces a module.
 */
const SHARED = { isolate: false };

/** The stores on servers, against real ones that `npm run test:stores` starts. */
const STORES = ['test/stores/{s3,postgres,redis}/**/*.test.ts'];

/**
 * More room for what lives a moment, and no threads of its own for the garbage collection: with more workers than cores
 * they only take processor time from each other. Without pretenuring, because V8 would take the objects of the many calls
 * to a file system for such as live long, and what they hold stays until the whole heap is looked through: a third of what
 * lived a moment was copied again and again.
 */
const NODE = ['--max-semi-space-size=32', '--single-threaded-gc', '--no-allocation-site-pretenuring'];

/** Every other story in real Chromium. */
const E2E = ['test/e2e/**/*.test.ts', 'test/simulator/**/*.test.ts'];

/** What takes longest comes first: no worker is left alone with it at the end. */
const FIRST = [
  'test/e2e/chaos-short.test.ts',
  'test/profile/install.test.ts',
  'test/session/calls-on-hanging-disk.test.ts',
  'test/e2e/chaos-supervise-short.test.ts',
  'test/chaos-short.test.ts',
  'test/simulator/simulator.test.ts',
  'test/e2e/dashboard-page.test.ts',
  'test/e2e/restore.test.ts',
  'test/e2e/plain-bot.test.ts',
  'test/e2e/reconnect.test.ts',
  'test/e2e/versions.test.ts',
  'test/session/linked-profile.test.ts',
];

const root = fileURLToPath(new URL('.', import.meta.url));
const pathOf = (file: string) => relative(root, file).replaceAll('\\', '/');

/** The files that replace a module (`vi.mock`), so that no other file may share their modules. */
const MOCKING = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => join(root, 'test', path))
  .filter((path) => readFileSync(path, 'utf8').includes('vi.mock('))
  .map(pathOf)
  .filter((path) => !LONG.includes(path));

/** The tests wait more than they work: four files at a time keep two cores busy. Vitest itself runs one on two cores. */
const WORKERS = Math.max(4, availableParallelism());

/**
 * Spreads the files of every project over the run, so that those that wait for a browser run beside those that work.
 * Vitest itself would start one project's files after the other's.
 */
class Spread extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const total = countBy(sorted, ({ project }) => project.name);
    const seen = new Map<string, number>();
    const placed = sorted.map((file) => {
      const { name } = file.project;
      const index = seen.get(name) ?? 0;
      seen.set(name, index + 1);
      const first = FIRST.indexOf(pathOf(file.moduleId));
      return { file, place: first < 0 ? index / (total.get(name) ?? 1) : first - FIRST.length };
    });
    return placed.sort((one, other) => one.place - other.place).map(({ file }) => file);
  }
}

function countBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}

export default defineConfig({
  test: {
    maxWorkers: WORKERS,
    // What was transformed once is kept for the next run: a third of the processor time of a run of one file.
    experimental: { fsModuleCache: true },
    sequence: { sequencer: Spread },
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/simulator/**', ...STORES, ...LONG, ...MOCKING],
          ...SHARED,
          execArgv: NODE,
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: { name: 'mocking', include: MOCKING, execArgv: NODE, testTimeout: 60_000 },
      },
      {
        resolve: { alias },
        test: { name: 'long', include: LONG, ...SHARED, execArgv: NODE, testTimeout: 60_000 },
      },
      {
        test: {
          name: 'stores',
          include: STORES,
          globalSetup: ['test/stores/servers/s3-setup.ts'],
          ...SHARED,
          execArgv: NODE,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'story',
          include: STORY,
          ...SHARED,
          execArgv: NODE,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: E2E,
          exclude: STORY,
          ...SHARED,
          execArgv: NODE,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Runs in the page only; the end-to-end tests drive it there.
      exclude: ['src/http/dashboard/client/*.ts', 'src/http/dashboard/client/view/**'],
      // Nobody looks at the pages of a run on a server.
      reporter: ['text-summary', 'json-summary', ...(process.env.CI ? [] : ['html'])],
      thresholds: { lines: 90, branches: 85 },
    },
  },
});
