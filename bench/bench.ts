/**
 * Runs RemoteAuth's own code and this library in turn, on equal copies of profiles that real Chromium has written. Each
 * operation runs in its own process. Prints the tables with the targets.
 *
 *     npm run bench                                   20, 100 and 500 MB, everything
 *     npm run bench -- --sizes 20 --only save         one size, the operations whose name contains it
 *     npm run bench -- --runs 9                       instead of 5 runs (2 from 300 MB on)
 *     npm run bench -- --fresh                        makes the cached profiles again
 *     npm run bench -- --json bench.json --markdown   for a machine; for docs/performance-tables.md
 *     npm run bench -- --only restore --cpu-prof out  a CPU profile of each measured process, to be opened in DevTools
 *     npm run bench -- --check                        against bench/baseline.json: exits 1 on a regression
 *
 * Figures are medians. CPU, memory and bytes are those of the whole process, including its worker thread; bytes written
 * are the bytes passed to the kernel (`wchar` of /proc/self/io).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { readBenchArguments, runsFor } from './support/arguments.js';
import { compareWithBaseline, parseReport } from './support/baseline.js';
import { capturesUnderTraffic } from './support/captures-under-traffic.js';
import { medianOf } from './support/figures.js';
import { describeMachine } from './support/machine.js';
import { Contest, interleaved } from './support/measure-in-child.js';
import { OPERATIONS, SIDES } from './support/operations.js';
import { outsideLimits } from './support/outside-limits.js';
import { profileStates } from './support/profile-states.js';
import type { BenchReport, CaptureRow, LimitRow, Row } from './support/report.js';
import { printReport, toMarkdown } from './support/show-report.js';
import { plain, tableOf } from './support/tables.js';

const asked = readBenchArguments(process.argv.slice(2));
const baseline = asked.check ? parseReport(await readFile(asked.baseline, 'utf8')) : undefined;
const matches = (name: string) => name.includes(asked.only);
const operations = OPERATIONS.filter(matches);
const machine = await describeMachine();

const rows: Row[] = [];
const limits: LimitRow[] = [];
const captures: CaptureRow[] = [];
const profiles: BenchReport['profiles'][number][] = [];
const profiling = asked.cpuProf === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${asked.cpuProf}`];
const contest = await Contest.open(profiling);
try {
  for (const megabytes of asked.sizes) {
    const states = await profileStates(megabytes, { fresh: asked.fresh, chromium: machine.chromium });
    const runs = runsFor(megabytes, asked.runs);
    profiles.push({ megabytes, bytes: states.bytes, files: states.files });
    for (const operation of operations) {
      const sides = await interleaved(contest, operation, states, runs);
      const row: Row = {
        operation,
        megabytes,
        runs,
        remoteAuth: medianOf(sides.remoteAuth.figures),
        ours: medianOf(sides.ours.figures),
        differs: SIDES.filter((side) => !sides[side].isSame),
      };
      rows.push(row);
      say(`\n${operation}, ${(states.bytes / 1e6).toFixed(1)} MB, ${runs} runs`);
      say(plain(tableOf(row)));
      if (row.differs.length > 0) say(`RESTORED OTHERWISE THAN SAVED by ${row.differs.join(', ')}`);
    }
    if (matches('limits')) {
      const outside = await outsideLimits(states, runs);
      limits.push(...outside.rows);
      if (outside.missing.length > 0) say(`\nnot on this machine, left out: ${outside.missing.join(', ')}`);
    }
  }
} finally {
  await contest.close();
}
if (matches('captures')) captures.push(await capturesUnderTraffic());

const report: BenchReport = {
  format: 1,
  date: new Date().toISOString(),
  machine,
  profiles,
  rows,
  limits,
  captures,
};
if (asked.json !== undefined) await writeFile(asked.json, `${JSON.stringify(report, null, 2)}\n`);
console.log(asked.markdown ? toMarkdown(report) : printReport(report));
if (rows.some(({ differs }) => differs.includes('ours'))) process.exitCode = 1;
if (baseline !== undefined && !passes(baseline)) process.exitCode = 1;

function passes(before: BenchReport): boolean {
  const { compared, regressions, slower } = compareWithBaseline(before, report);
  const lines = (changes: typeof regressions) =>
    changes.map(
      ({ operation, megabytes, metric, before: then, now }) =>
        `  ${operation}, ${megabytes} MB, ${metric}: ${then.toFixed(1)} times cheaper before, ${now.toFixed(1)} now`,
    );
  if (slower.length > 0) say(['\nslower on the clock (not judged):', ...lines(slower)].join('\n'));
  say(
    regressions.length === 0
      ? `\nno regression in ${compared} rows`
      : ['\nREGRESSIONS of more than 25 %:', ...lines(regressions)].join('\n'),
  );
  return compared > 0 && regressions.length === 0;
}

/** With `--markdown` prints to stderr, because stdout is for the document. */
function say(text: string): void {
  if (asked.markdown) console.error(text);
  else console.log(text);
}
