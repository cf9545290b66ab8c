import type { ProcessEntry, ProcessSource } from './process-entry.js';
import { type RunCommand, runCommand } from './run-command.js';

const COLUMNS = ['-o', 'pid=,ppid=,stat=,lstart='];

/** macOS and the BSDs: `ps`. */
export function psSource(run: RunCommand = runCommand): ProcessSource {
  // `ps` exits with 1 both when there is no such process and when it fails, but prints an error only when it fails.
  const ask = (args: readonly string[]) =>
    run('ps', args).catch((error: { code?: unknown; stderr?: unknown }) => {
      if (error.code === 1 && !error.stderr) return '';
      throw error;
    });
  return {
    entry: async (pid) => parsePs(await ask(['-p', String(pid), ...COLUMNS]))[0],
    all: async () => parsePs(await ask(['-A', ...COLUMNS])),
    commandLine: async (pid) => (await ask(['-p', String(pid), '-ww', '-o', 'command='])).trim() || undefined,
    memory: async (pids) => parseMemory(await ask(['-p', pids.join(','), '-o', 'pid=,rss='])),
    // Without containers, pids belong to the machine, which the lease identifies by its host name.
    namespace: async () => process.platform,
  };
}

/** Reads lines such as `  501     1 S    Mon Nov 23 05:13:20 2026`. */
export function parsePs(output: string): readonly ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const [, pid, ppid, state, startTime] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line) ?? [];
    if (pid === undefined || ppid === undefined || state === undefined || startTime === undefined) return [];
    return [{ pid: Number(pid), ppid: Number(ppid), startTime, zombie: state.startsWith('Z') }];
  });
}

/** Reads lines such as `  501  13248`: pid and resident kilobytes. */
function parseMemory(output: string): ReadonlyMap<number, number> {
  const lines = output.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm);
  return new Map([...lines].map(([, pid, kilobytes]) => [Number(pid), Number(kilobytes) * 1024]));
}
