import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figures } from '../support/figures.js';

type Cost = Omit<Figures, 'keptBytes'>;

/** The resident memory when no work is running. */
export function residentBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
}

/** Measures what `work` costs this process. Memory growth is counted from `residentBefore`. */
export async function measured(work: () => Promise<void>, residentBefore: number): Promise<Cost> {
  (globalThis as { gc?: () => void }).gc?.();
  resetPeak();
  const writtenBefore = writtenBytes();
  const loopBefore = performance.eventLoopUtilization();
  const mainBefore = mainCpuMs();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  const main = mainCpuMs();
  const busyMs = performance.eventLoopUtilization(loopBefore).active;
  const written = writtenBytes();
  return {
    wallMs,
    cpuMs: (user + system) / 1000,
    mainCpuMs: main === null || mainBefore === null ? null : main - mainBefore,
    busyMs,
    rssBytes: Math.max(0, peakBytes() - residentBefore),
    writtenBytes: written === null || writtenBefore === null ? null : written - writtenBefore,
  };
}

/** The total size of all files below a folder. */
export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await bytesBelow(path) : (await stat(path)).size;
  }
  return bytes;
}

/** Resets the kernel's high-water mark; otherwise the parent's memory at the fork would count, too. */
function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // not possible on another system, where the peak is that of the whole process life
  }
}

function peakBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readOrEmpty('/proc/self/status'));
  return line === null ? process.resourceUsage().maxRSS * 1024 : Number(line[1]) * 1024;
}

/** CPU time of the main thread, whose thread id equals the process id. */
export function mainCpuMs(): number | null {
  const line = /^(\d+) /.exec(readOrEmpty(`/proc/self/task/${process.pid}/schedstat`));
  return line === null ? null : Number(line[1]) / 1e6;
}

/** Bytes that this process has passed to the kernel; null if not available. */
export function writtenBytes(): number | null {
  const line = /^wchar: (\d+)$/m.exec(readOrEmpty('/proc/self/io'));
  return line === null ? null : Number(line[1]);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
