import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ensureChromium } from '../../scripts/chromium.js';
import type { StatusResponse } from '../../src/http/index.js';
import { chromiumArguments } from '../simulator/client.js';
import { useStage } from './setup.js';

const BOT = fileURLToPath(new URL('../../examples/basic-bot/bot.js', import.meta.url));
const PERSISTENT_BOT = fileURLToPath(new URL('../../examples/basic-bot/persistent-bot.js', import.meta.url));
const START = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOKEN = 'the-token-of-the-simulated-server-0123';
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

describe('npm start -- --simulate', () => {
  let child: ChildProcess | undefined;

  afterEach(async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  });

  it('serves the documented API over the real client, from the QR to a message', async () => {
    child = spawn(process.execPath, ['--import', 'tsx', START, '--simulate'], {
      cwd: ROOT,
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1', DASHBOARD_TOKEN: TOKEN },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { phone, dashboard } = await addresses(child);
    const api = new URL('/api/whatsapp/persistent-session', dashboard);
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const status = async () => (await (await fetch(api, { headers })).json()) as StatusResponse;
    const act = async (body: object) =>
      (await fetch(`${api}?wait=60`, { method: 'POST', headers, body: JSON.stringify(body) })).json();

    await expect.poll(async () => (await status()).qr?.value, { timeout: PATIENCE_MS }).toBeTypeOf('string');
    expect(await (await fetch(`${api}/qr.svg`, { headers })).text()).toMatch(/^<svg/);
    expect((await fetch(`${api}/qr.svg`)).status).toBe(401);
    expect((await fetch(new URL('/readyz', dashboard), { headers })).status).toBe(503);
    expect((await fetch(new URL('/scan', phone), { method: 'POST', redirect: 'manual' })).status).toBe(303);
    await expect.poll(async () => (await status()).session.connected, { timeout: PATIENCE_MS }).toBe(true);
    expect((await fetch(new URL('/readyz', dashboard), { headers })).status).toBe(200);

    const message = { action: 'send-test-message', phoneNumber: '201234567890', message: 'رسالة تجريبية' };
    expect(await act(message)).toMatchObject({ success: true, result: { chatId: '201234567890@c.us' } });
    // Nothing is taken before Local Storage has reached the disk, which Chromium does within seconds.
    await expect
      .poll(async () => (await status()).session.lastSaved, { timeout: PATIENCE_MS })
      .not.toBeNull();
    expect(await act({ action: 'backup' })).toMatchObject({
      success: true,
      result: { snapshot: { kind: 'backup' } },
    });
    expect(await status()).toMatchObject({ session: { hasBackup: true, hasSession: true }, qr: null });
  });
});

/** Waits for the two addresses that the server prints. */
function addresses(child: ChildProcess): Promise<{ readonly phone: string; readonly dashboard: string }> {
  let output = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no addresses in: ${output}`)), PATIENCE_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const phone = /The phone: (\S+)/.exec(output)?.[1];
      const dashboard = /Dashboard: (\S+)/.exec(output)?.[1];
      if (!phone || !dashboard) return;
      clearTimeout(timer);
      resolve({ phone, dashboard });
    });
  });
}

function code(source: string): string[] {
  return source.split('\n').filter((line) => line !== '' && !line.startsWith('//'));
}
