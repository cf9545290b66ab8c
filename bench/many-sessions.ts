/**
 * Runs many sessions in one process, each with its own profile written by real Chromium. Measures the memory for each
 * session, how late saves come, the delay of the event loop, the cost of `status()`, and the number of threads for all
 * of them. A fifth of the sessions is measured first, because the cost for each must not grow with their number.
 *
 *     npm run bench:many -- --sessions 50 --seconds 60 --interval 10000
 */
import { spawn } from 'node:child_process';
import { copyFile, link, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CrowdFigures, CrowdOrder } from './children/crowd.js';
import { BUILT, compileChild } from './support/compiled-child.js';
import { describeMachine } from './support/machine.js';
import { type ProfileStates, profileStates } from './support/profile-states.js';
import { plain } from './support/tables.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '50' },
    megabytes: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
    interval: { type: 'string', default: '10000' },
  },
});
const sessions = Number(values.sessions);
const machine = await describeMachine();
const states = await profileStates(Number(values.megabytes), { fresh: false, chromium: machine.chromium });
const folder = await mkdtemp(join(tmpdir(), 'wwebjs-bench-many-'));
try {
  const script = await compileChild('crowd', folder);
  const counts = [...new Set([Math.max(1, Math.round(sessions / 5)), sessions])];
  const measured: CrowdFigures[] = [];
  for (const count of counts) measured.push(await measure(script, count));
  console.log(
    `\n${machine.cpu}, ${machine.cores} cores, node ${machine.node}; profiles of ${values.megabytes} MB\n`,
  );
  console.log(
    plain([
      ['', ...measured.map((figures) => `${figures.sessions} sessions`)],
      line('memory a session, MB', ({ memoryPerSessionMb }) => memoryPerSessionMb.toFixed(2)),
      line('saves', ({ saves }) => String(saves)),
      line('saves that failed', ({ failed }) => String(failed)),
      line('lateness of a save, median, ms', ({ latenessMedianMs }) => latenessMedianMs.toFixed(0)),
      line('lateness of a save, most, ms', ({ latenessMostMs }) => latenessMostMs.toFixed(0)),
      line('CPU a save, ms', ({ cpuPerSaveMs }) => cpuPerSaveMs.toFixed(0)),
      line('delay of the event loop, p99, ms', ({ delayP99Ms }) => delayP99Ms.toFixed(1)),
      line('status(), microseconds', ({ statusUs }) => statusUs.toFixed(1)),
      line('further threads', ({ workerThreads }) => String(workerThreads)),
    ]),
  );

  function line(name: string, cell: (figures: CrowdFigures) => string): readonly string[] {
    return [name, ...measured.map(cell)];
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function measure(script: string, count: number): Promise<CrowdFigures> {
  const bots = join(folder, 'bots');
  for (let index = 0; index < count; index++) {
    await copyProfile(states, join(bots, String(index), 'auth/session-bot'));
  }
  const order: CrowdOrder = {
    ...BUILT,
    folder: bots,
    sessions: count,
    seconds: Number(values.seconds),
    saveIntervalMs: Number(values.interval),
    before: states.before,
    after: states.after,
  };
  const child = spawn(process.execPath, ['--expose-gc', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const figures = await new Promise<CrowdFigures>((resolve, reject) => {
    let told: CrowdFigures | undefined;
    child.on('message', (message) => {
      told = message as CrowdFigures;
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      told === undefined ? reject(new Error(`the child ended with ${code}`)) : resolve(told),
    );
    child.send(order);
  });
  await rm(bots, { recursive: true, force: true, maxRetries: 5 });
  return figures;
}

/** Uses hard links for tables, which never change, so that fifty profiles need the space of one. */
async function copyProfile({ before }: ProfileStates, to: string): Promise<void> {
  for (const entry of await readdir(before, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const target = join(to, from.slice(before.length));
    await mkdir(dirname(target), { recursive: true });
    await (entry.name.endsWith('.ldb') ? link(from, target) : copyFile(from, target));
  }
}
