import type { ProcessEntry, ProcessSource } from './process-entry.js';
import { type RunCommand, runCommand } from './run-command.js';

/** Windows: CIM through PowerShell (`wmic` is gone from Windows 11). There are no zombies. */
export function windowsSource(run: RunCommand = runCommand): ProcessSource {
  const query = (filter: string, columns: string) =>
    run('powershell.exe', [
      '-NoProfile',
      '-NonInteractive',
      '-Command',
      `Get-CimInstance Win32_Process ${filter} | ForEach-Object { ${columns} }`,
    ]);
  const columns = '"$($_.ProcessId) $($_.ParentProcessId) $($_.CreationDate.ToFileTimeUtc())"';
  const only = (pid: number) => `-Filter "ProcessId=${pid}"`;
  return {
    entry: async (pid) => parseCim(await query(only(pid), columns))[0],
    all: async () => parseCim(await query('', columns)),
    commandLine: async (pid) => (await query(only(pid), '$_.CommandLine')).trim() || undefined,
    memory: async (pids) => {
      const filter = `-Filter "${pids.map((pid) => `ProcessId=${pid}`).join(' or ')}"`;
      const lines = (await query(filter, '"$($_.ProcessId) $($_.WorkingSetSize)"')).matchAll(
        /^\s*(\d+) (\d+)\s*$/gm,
      );
      return new Map([...lines].map(([, pid, bytes]) => [Number(pid), Number(bytes)]));
    },
    namespace: async () => 'win32',
  };
}

/** Reads lines such as `4711 612 133766432001234567`. A system process without a visible start time is left out. */
export function parseCim(output: string): readonly ProcessEntry[] {
  const entries = output.split(/\r?\n/).flatMap((line) => {
    const [, pid, ppid, startTime] = /^\s*(\d+) (\d+) (\d+)\s*$/.exec(line) ?? [];
    if (pid === undefined || ppid === undefined || startTime === undefined) return [];
    return [{ pid: Number(pid), ppid: Number(ppid), startTime, zombie: false }];
  });
  return entries.map((entry) => ({ ...entry, ppid: trueParent(entry, entries) }));
}

/** Windows never clears the parent's pid: a "parent" that started *after* its "child" only reuses the number. */
function trueParent(child: ProcessEntry, entries: readonly ProcessEntry[]): number {
  const parent = entries.find(({ pid }) => pid === child.ppid);
  return parent !== undefined && BigInt(parent.startTime) > BigInt(child.startTime) ? 0 : child.ppid;
}
