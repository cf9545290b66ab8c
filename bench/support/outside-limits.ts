import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median } from './figures.js';
import type { ProfileStates } from './profile-states.js';
import type { LimitRow } from './report.js';

const run = promisify(execFile);

/** Measures tools written in C on the same files. A missing tool is left out, and its name is reported. */
export async function outsideLimits(
  { before, megabytes }: ProfileStates,
  runs: number,
): Promise<{ readonly rows: readonly LimitRow[]; readonly missing: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'wwebjs-limits-'));
  const commands = [
    { tool: 'zip -1', needs: 'zip', command: 'rm -f z.zip; time zip -1 -q -r z.zip "$FROM"' },
    { tool: 'unzip', needs: 'unzip', command: 'rm -rf u; time unzip -q z.zip -d u' },
    { tool: 'cp -r', needs: 'cp', command: 'rm -rf c; time cp -r "$FROM" c' },
  ];
  const rows: LimitRow[] = [];
  const missing: string[] = [];
  try {
    for (const { tool, needs, command } of commands) {
      const present = await run('bash', ['-c', `command -v ${needs}`]).then(
        () => true,
        () => false,
      );
      if (!present || (needs === 'unzip' && missing.includes('zip -1'))) {
        missing.push(tool);
        continue;
      }
      const times: (readonly [wall: number, cpu: number])[] = [];
      for (let n = 0; n < runs; n++) times.push(await timed(command, folder, before));
      rows.push({
        tool,
        megabytes,
        wallMs: median(times.map(([wall]) => wall)),
        cpuMs: median(times.map(([, cpu]) => cpu)),
      });
    }
    return { rows, missing };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The times of bash's `time`, in ms. */
async function timed(command: string, cwd: string, from: string): Promise<readonly [number, number]> {
  const env = { ...process.env, FROM: from, TIMEFORMAT: '%R %U %S', LC_ALL: 'C' };
  const { stderr } = await run('bash', ['-c', command], { cwd, env });
  const [wall = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number);
  return [wall * 1000, (user + system) * 1000];
}
