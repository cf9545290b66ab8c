import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../src/processes.js';
import { BotProcess } from '../support/bot-process.js';
import { useStage } from './setup.js';

describe('a bot in a process of its own', () => {
  const stage = useStage();
  const children: BotProcess[] = [];

  function start(): BotProcess {
    const child = new BotProcess(stage.folder, stage.simulator.port);
    children.push(child);
    return child;
  }

  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGTERM'); // so that it closes its browser; the signal's budget bounds it
      await child.exit;
    }
  });

  async function logIn(child: BotProcess): Promise<number> {
    const { payload } = await child.waitFor('initialized');
    await stage.simulator.scan();
    await child.waitFor('state:changed', ({ to }) => to === 'ready');
    return Number(payload.browser);
  }

  it('takes a last snapshot on SIGTERM, closes its browser, and ends by that signal', async () => {
    const child = start();
    const browser = await logIn(child);
    child.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: null, signal: 'SIGTERM' });
    expect(child.lines.filter(({ name }) => name === 'save:completed').at(-1)?.payload).toMatchObject({
      snapshot: { capture: 'cold', settled: true },
    });
    expect(await isAlive(browser)).toBe(false);

    const next = stage.bot();
    await next.session.initialize();
    expect(next.session.state).toBe('ready');
    expect(next.qrCodes).toEqual([]);
  });

  it('killed by SIGKILL leaves a browser behind: the next start ends that one and goes on', async () => {
    const child = start();
    const browser = await logIn(child);
    await child.waitFor(
      'save:completed',
      ({ snapshot }) => (snapshot as { settled?: boolean }).settled === true,
    );
    child.kill('SIGKILL');
    await child.exit;
    expect(await isAlive(browser)).toBe(true);

    const next = stage.bot();
    await next.session.initialize();
    expect(await isAlive(browser)).toBe(false);
    expect(next.session.state).toBe('ready');
    expect(next.qrCodes).toEqual([]);
  });

  it('keeps a second one from the same session', async () => {
    const child = start();
    await child.waitFor('initialized');
    const second = stage.bot();
    await expect(second.session.initialize()).rejects.toMatchObject({
      code: 'LEASE_HELD',
      message: expect.stringContaining(String(child.pid)),
    });
    expect(second.session.state).toBe('idle');
    // Other folders for the saves, but the same profile: refused, and nothing is ended.
    const elsewhere = stage.bot({
      session: { sessionPath: join(stage.folder, 'other'), backupPath: join(stage.folder, 'other-backup') },
    });
    await expect(elsewhere.session.initialize()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    expect(elsewhere.session.state).toBe('idle');
    expect(stage.simulator.pages).toHaveLength(1);
  });

  it('starts over the lock that a browser of another host has left', async () => {
    const bot = stage.bot();
    await mkdir(bot.profileDir, { recursive: true });
    await symlink('another-container-4711', join(bot.profileDir, 'SingletonLock'));
    await bot.session.initialize();
    expect(bot.session.state).toBe('awaiting_qr');
  });
});

/** A killed orphan may stay a zombie where nobody reaps it: that is no browser any more. */
async function isAlive(pid: number): Promise<boolean> {
  return (await identityOf(pid)) !== undefined;
}
