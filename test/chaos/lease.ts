// Three processes want one session over a real server, while they are stopped, killed, cut off and given wrong clocks at
// random: there are never two writers under one fencing number, never a listed snapshot without its bytes, what was put
// stays, and once everything is well again somebody has the session. Needs the servers of `npm run test:stores`.
//
//   npm run chaos:lease -- --store postgres
//   npm run chaos:lease -- --store redis --schedules 40 --seed 7

import { storeFromUrl } from '../../src/stores/store-from-url.js';
import { SERVERS, startServer } from '../stores/servers/start-server.js';
import { Dice } from '../support/dice.js';
import { runSchedule } from './leasing/schedule.js';
import { printTable } from './print-table.js';
import { readArguments } from './read-arguments.js';

const { schedules, seed, store: only } = readArguments({ schedules: 1000 }, ['store']);
const names = only === undefined ? Object.keys(SERVERS) : [only];
const startedAt = Date.now();
const rows: (string | number)[][] = [];
const violations: string[] = [];

for (const name of names) {
  console.log(`${name}: ${schedules} schedules, seed ${seed}`);
  const server = await startServer(name);
  const store = await storeFromUrl(server.urlAt(server.port));
  const { next: random } = new Dice(seed);
  const done: Record<string, number> = {};
  let listed = 0;
  let owners = 0;
  try {
    for (let index = 0; index < schedules; index++) {
      const result = await runSchedule({ server, store, clientId: `s${index}`, random });
      for (const [what, times] of Object.entries(result.done)) done[what] = (done[what] ?? 0) + times;
      listed += result.listed;
      owners += result.owners;
      for (const violation of result.violations) {
        violations.push(`${name}, schedule ${index}: ${violation}`);
        console.error(`VIOLATION ${name}, schedule ${index}: ${violation}`);
      }
      if ((index + 1) % 25 === 0) console.log(`${seconds()} s: ${index + 1} schedules`);
    }
  } finally {
    await store.close?.();
    await server.stop();
  }
  const faults = Object.values(done).reduce((sum, times) => sum + times, 0);
  rows.push([name, schedules, faults, owners, listed]);
  for (const [what, times] of Object.entries(done).sort()) console.log(`  ${what}: ${times}`);
}
printTable(['store', 'schedules', 'faults', 'owners', 'snapshots'], rows);
console.log(`${violations.length} violations, ${seconds()} s`);
process.exitCode = violations.length === 0 ? 0 : 1;

function seconds(): number {
  return Math.round((Date.now() - startedAt) / 1000);
}
