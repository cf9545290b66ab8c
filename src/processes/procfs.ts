import { readdir, readFile, readlink } from 'node:fs/promises';
import { errnoOf } from '../errors.js';
import type { ProcessEntry, ProcessSource } from './process-entry.js';

/** Linux: reads `/proc` without starting a process. Tests pass another `root`. */
export function procfsSource(root = '/proc'): ProcessSource {
  // The boot id never changes while we run; when it can't be read, the next call tries again.
  let boot: string | undefined;
  const bootId = async () => {
    boot ??= (await readFile(`${root}/sys/kernel/random/boot_id`, 'utf8')).trim();
    return boot;
  };

  const entry = async (pid: number): Promise<ProcessEntry | undefined> => {
    const stat = await readUnlessGone(`${root}/${pid}/stat`);
    return stat === undefined ? undefined : parseStat(stat, await bootId().catch(() => 'unknown-boot'));
  };

  return {
    entry,
    async all() {
      const pids = (await readdir(root)).filter((name) => /^\d+$/.test(name)).map(Number);
      const entries: ProcessEntry[] = [];
      for (const pid of pids) {
        const found = await entry(pid);
        if (found !== undefined) entries.push(found);
      }
      return entries;
    },
    async commandLine(pid) {
      const line = await readUnlessGone(`${root}/${pid}/cmdline`);
      return line?.replaceAll('\0', ' ').trim();
    },
    async memory(pids) {
      const bytes = await Promise.all(pids.map((pid) => memoryOf(`${root}/${pid}`)));
      return new Map(pids.flatMap((pid, index) => (bytes[index] === undefined ? [] : [[pid, bytes[index]]])));
    },
    async namespace() {
      // Two containers on one kernel have the same boot id and perhaps the same host name, but not the same pid
      // namespace.
      return `${await bootId()} ${await readlink(`${root}/self/ns/pid`)}`;
    },
  };
}

/** Reads `/proc/<pid>/stat` (proc(5)). The name in parentheses may itself hold spaces and parentheses. */
export function parseStat(stat: string, bootId: string): ProcessEntry | undefined {
  const pid = Number.parseInt(stat, 10);
  const [state, ppid, ...rest] = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const startTicks = rest[17]; // field 22; state is field 3
  if (!Number.isInteger(pid) || state === undefined || ppid === undefined || startTicks === undefined) {
    return undefined;
  }
  return { pid, ppid: Number(ppid), startTime: `${bootId}:${startTicks}`, zombie: /^[ZXx]$/.test(state) };
}

/** `undefined` for a process that has ended, or that hides its memory from everybody. */
async function memoryOf(folder: string): Promise<number | undefined> {
  // `smaps_rollup` can be read only for processes that we could debug: a sandboxed renderer hides it, but
  // everybody may read its `status`.
  const rollup = await readFile(`${folder}/smaps_rollup`, 'utf8').catch(() => '');
  const status = /^Pss:/m.test(rollup) ? rollup : await readFile(`${folder}/status`, 'utf8').catch(() => '');
  const [, kilobytes] = /^(?:Pss|VmRSS):\s+(\d+) kB$/m.exec(status) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function readUnlessGone(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined; // ESRCH: it ended while we read
    throw error;
  }
}
