import { describeSessionStore, type StoreExpectations } from '../../../src/testing/index.js';

/** What `MemoryStore` offers. */
export const IN_MEMORY = {
  ...{ conditionalDelete: true, deleteMany: true, ranges: true, fencedPut: true, serverTime: true },
  verifiedBy: 'server',
  inMemory: true,
} as const satisfies StoreExpectations;

/** Runs the conformance suite without a runner. */
export async function verdicts(
  factory: Parameters<typeof describeSessionStore>[1],
  expects: StoreExpectations = IN_MEMORY,
  { only = '', patienceMs = 2_000 } = {},
) {
  const tests: { name: string; test: () => Promise<void> }[] = [];
  const collect = (name: string, test: () => Promise<void>) => tests.push({ name, test });
  describeSessionStore({ describe: (_, body) => body(), it: collect, expects, patienceMs }, factory);
  const passed: string[] = [];
  const failed: string[] = [];
  const reasons: string[] = [];
  for (const { name, test } of tests) {
    if (!name.startsWith(only)) continue;
    await test().then(
      () => passed.push(name),
      (error: Error) => {
        failed.push(name);
        reasons.push(error.message);
      },
    );
  }
  return { passed, failed, reasons };
}
