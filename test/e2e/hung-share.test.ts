import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle.js';

const here = (name: string) => fileURLToPath(new URL(`./children/${name}`, import.meta.url));
const canHang = process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;

/** Real system calls that wait in their threads, as below an NFS share whose server is gone. */
describe.skipIf(!canHang)('a backupPath on a share that is gone', () => {
  const base = mkdtempSync(join(tmpdir(), 'hung-share-'));
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  function run(): Promise<string> {
    const library = join(base, 'hung-calls.so');
    const flag = join(base, 'flag');
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, here('hung-calls.c'), '-ldl']);
    const env = { ...process.env, HANG_PREFIX: join(base, 'backup'), HANG_FLAG: flag, LD_PRELOAD: library };
    const child = spawn(process.execPath, [...bundle(here('hung-share.ts')), base, flag], { env });
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    let out = '';
    const hear = (text: unknown) => {
      out += String(text);
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', hear);
    return new Promise((resolve) => {
      child.on('exit', () => {
        clearTimeout(timer);
        resolve(out);
      });
    });
  }

  it('keeps neither the start, nor the files of the bot, nor the stop', async () => {
    const out = await run();
    for (const what of ['started', 'a file was looked at', 'stopped']) expect(out).toContain(`${what} after`);
  });
});
