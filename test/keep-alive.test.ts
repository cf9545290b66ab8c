import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bundle } from './support/bundle.js';

const run = promisify(execFile);
const source = join(import.meta.dirname, '../src/keep-alive.ts');

/** Runs a bot of a few lines to its end and returns what it printed. */
async function bot(body: string): Promise<string> {
  const [module] = bundle(source);
  const script = `import { keepProcessAlive } from ${JSON.stringify(pathToFileURL(module).href)};\n${body}`;
  const node = ['--expose-gc', '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, node, { timeout: 15_000, killSignal: 'SIGKILL' });
  return stdout.trim();
}

describe('keepProcessAlive', () => {
  it('lets a process wait for an unref’d timer that would otherwise not hold it', async () => {
    // Long enough for a busy machine: what is due when the loop begins fires, whether it holds the process or not.
    const wait = `setTimeout(() => { console.log('reconnected'); release(); }, 1000).unref(); globalThis.gc();`;
    expect(await bot(`const release = () => undefined; ${wait}`)).toBe('');
    expect(await bot(`const release = keepProcessAlive(); ${wait}`)).toBe('reconnected');
  });

  it('lets the process end once every holder has let go, letting go twice included', async () => {
    const body = `
      const first = keepProcessAlive(); const second = keepProcessAlive();
      setTimeout(() => { first(); first(); }, 5).unref();
      setTimeout(() => { console.log('still here'); second(); }, 500).unref();`;
    expect(await bot(body)).toBe('still here');
  });
});
