// Makes every file system call fail, one at a time, with every errno, in every operation. See synthetic/fault-case.ts
// for the conditions that must hold after each.
//
//   npm run chaos:faults
//   npm run chaos:faults -- --operation backup --errno ENOSPC
//
// Nothing is random: the same command makes the same calls.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { printTable } from './print-table.js';
import { readArguments } from './read-arguments.js';
import { FAULT_OPERATIONS } from './synthetic/fault-scenarios.js';
import { ERRNOS, injectFaults } from './synthetic/faults.js';

const { operation, errno, ...given } = readArguments({ every: 1, first: 1 }, ['operation', 'errno']);
const operations = FAULT_OPERATIONS.filter((one) => operation === undefined || one === operation);
if (operations.length === 0) throw new Error(`--operation is one of ${FAULT_OPERATIONS.join(', ')}`);

// The in-memory file system asks for user and group before every access; these system calls take a sixth of the run.
for (const name of ['getuid', 'getgid'] as const) {
  const id = process[name]?.();
  if (id !== undefined) process[name] = () => id;
}

const startedAt = Date.now();
const every = Math.max(1, given.every);
const first = Math.max(1, given.first);

/** Runs one process for each errno, as many at once as there are processors. Resolves to the worst exit code. */
async function oneProcessForEach(waiting: string[]): Promise<number> {
  let worst = 0;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const script = fileURLToPath(import.meta.url);
      const own = process.argv.slice(2);
      const child = spawn(process.execPath, ['--import', 'tsx', script, ...own, '--errno', next], {
        stdio: 'inherit',
      });
      const code = await new Promise<number>((resolve) => child.once('exit', (exit) => resolve(exit ?? 1)));
      worst = Math.max(worst, code);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return worst;
}

async function here(errnos: readonly string[]): Promise<number> {
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const onProgress = (line: string) => console.log(`${seconds()} s: ${line}`);
  const { rows, violations } = await injectFaults({ operations, errnos, every, first, onProgress });
  printTable(
    ['operation', 'errno', 'calls', 'violations', 'outcomes'],
    rows.map(({ operation, errno, calls, violations, outcomes }) => {
      const kinds = [...outcomes].map(([kind, count]) => `${kind} ${count}`).join(', ');
      return [operation, errno, calls, violations, kinds];
    }),
  );
  for (const violation of violations.slice(0, 60)) console.error(`VIOLATION ${violation}`);
  const calls = rows.reduce((sum, row) => sum + row.calls, 0);
  console.log(`${calls} faults, ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

process.exitCode = errno === undefined ? await oneProcessForEach([...ERRNOS]) : await here([errno]);
