import { spawnSync } from 'node:child_process';
import { ensureChromium } from './chromium.js';

try {
  const path = ensureChromium();
  console.log(`${path} (${versionOf(path)})`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function versionOf(path: string): string {
  // On Windows `chrome.exe --version` opens a window instead of answering.
  if (process.platform === 'win32') return 'version not asked';
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return stdout?.trim() || 'version unknown';
}
