import type { ProcessSource } from './process-entry.js';
import { procfsSource } from './procfs.js';
import { psSource } from './ps.js';
import { windowsSource } from './windows.js';

/** The source for an operating system, by its name in `process.platform`. */
export function processSourceOf(platform: NodeJS.Platform): ProcessSource {
  if (platform === 'linux' || platform === 'android') return procfsSource();
  return platform === 'win32' ? windowsSource() : psSource();
}

/** The source of this machine. */
export const processSource: ProcessSource = processSourceOf(process.platform);
