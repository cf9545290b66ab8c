import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ensureChromium } from '../../scripts/chromium.js';
import { chromiumArguments } from '../simulator/client.js';
import { useStage } from './setup.js';

const BOT = fileURLToPath(new URL('../../examples/basic-bot/bot.js', import.meta.url));
const PERSISTENT_BOT = fileURLToPath(new URL('../../examples/basic-bot/persistent-bot.js', import.meta.url));
const PATIENCE_MS = 45_000;

describe('the basic bot of the examples', () => {
  const stage = useStage();
  const children: ChildProcess[] = [];

  afterEach(async () => {
    for (const child of children.splice(0)) await end(child);
  });

  /** Runs a script as it is; a browser of our own making leads it to the simulator. */
  async function run(
    script: string,
  ): Promise<{ child: ChildProcess; says: (text: string) => Promise<string> }> {
    const browser = join(stage.folder, 'chromium.sh');
    const args = chromiumArguments(stage.simulator.port).map((argument) => `'${argument}'`);
    await writeFile(browser, `#!/bin/sh\nexec ${ensureChromium()} ${args.join(' ')} "$@"\n`);
    await chmod(browser, 0o755);
    const child = spawn(process.execPath, [script], {
      cwd: stage.folder,
      env: { ...process.env, PUPPETEER_EXECUTABLE_PATH: browser },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const says = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no "${text}" in: ${output}`)), PATIENCE_MS);
        const look = () => {
          if (!output.includes(text)) return;
          clearTimeout(timer);
          resolve(output);
        };
        child.stdout.on('data', look);
        look();
      });
    return { child, says };
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  }

  it('becomes persistent by two lines', async () => {
    const before = code(await readFile(BOT, 'utf8'));
    const after = code(await readFile(PERSISTENT_BOT, 'utf8'));
    expect(after.filter((line) => !before.includes(line))).toHaveLength(2);
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
  });

  it('keeps its login over a restart', async () => {
    const first = await run(PERSISTENT_BOT);
    await first.says('Linked devices');
    await stage.simulator.scan();
    await first.says('ready');
    await end(first.child);

    const second = await run(PERSISTENT_BOT);
    expect(await second.says('ready')).not.toContain('Linked devices');
  });
});

function code(source: string): string[] {
  return source.split('\n').filter((line) => line !== '' && !line.startsWith('//'));
}
