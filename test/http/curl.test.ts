import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { API, TOKEN, useHttpStage } from './support/http-stage.js';

const DOCUMENT = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
/** Every call of docs/api.md, its lines joined as the shell does. */
const CALLS = [...DOCUMENT.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.startsWith('curl ')),
);

const hasCurl = isInstalled('curl');
if (!hasCurl && process.env.CI)
  throw new Error('curl is missing: the calls of docs/api.md can not be tested');
if (!hasCurl) console.warn('curl is missing: THE CALLS OF docs/api.md ARE NOT TESTED');

describe.skipIf(!hasCurl)('the calls of docs/api.md', () => {
  const stage = useHttpStage();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wwebjs-curl-'));
    stage().use({ allowDownload: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are there', () => {
    expect(CALLS.length).toBeGreaterThan(12);
    for (const action of ['initialize', 'clear', 'health-check', 'send-test-message']) {
      expect(CALLS.some((line) => line.includes(`"action": "${action}"`))).toBe(true);
    }
  });

  it.each(CALLS.filter((line) => !line.includes('/events')))('%s', async (line) => {
    const { json } = await stage().act({ action: 'prune' });
    stage().session.client.emit('qr', '2@abc,def');
    const { status, output } = await run(line, (json.job as { id: string }).id);
    expect(status, output).toBe(0);
    if (!/ -o| -OJ/.test(line)) expect(JSON.parse(output)).toMatchObject({ success: true });
  });

  it.each(CALLS.filter((line) => line.includes('/events')))('%s', async (line) => {
    const { output } = await run(line, '', 'stream:opened');
    expect(output).toContain('event: stream:opened');
  });

  it('are refused without the token', async () => {
    const { status, output } = await run(`curl -sS --fail-with-body "$BOT${API}"`);
    expect(status).toBe(22);
    expect(output).toContain('"UNAUTHENTICATED"');
  });

  /** Runs a line in a shell; `until` is what ends a call that does not end by itself. */
  function run(line: string, job = '', until?: string): Promise<{ status: number | null; output: string }> {
    const env = { ...process.env, BOT: stage().origin, DASHBOARD_TOKEN: TOKEN, JOB: job };
    // `exec`: the process that is ended is curl itself.
    const child = spawn('sh', ['-c', `exec ${line}`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (until !== undefined && output.includes(until)) child.kill();
      });
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status, output }));
    });
  }
});

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
