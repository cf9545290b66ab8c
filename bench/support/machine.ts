import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import { ensureChromium } from '../../scripts/chromium.js';
import type { Machine } from './report.js';

/** Describes the machine on which the figures were measured. */
export async function describeMachine(): Promise<Machine> {
  const { stdout } = await promisify(execFile)(ensureChromium(), ['--version']);
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    platform: `${type()} ${release().replace(/-.*/, '')}`,
    node: process.version,
    chromium: stdout.trim().split('\n')[0] ?? 'unknown',
  };
}
