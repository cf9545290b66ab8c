import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClientInternals } from '../../../src/client/client-types.js';
import { systemClock } from '../../../src/clock.js';
import { type FileSystem, systemFileSystem } from '../../../src/file-system.js';
import { silentLogger } from '../../../src/logger.js';
import { identityOf, type ProcessIdentity } from '../../../src/processes.js';
import { BrowserOwner } from '../../../src/supervision/browser/browser-owner.js';
import { Dice } from '../../support/dice.js';
import { FakeStage } from '../../support/fake-stage.js';

const PROFILE = '/bot/profile';
const RECORD = '/bot/state/browser.json';
const MARK = 'abcd';

/** A world in memory, and real processes that stand for browsers and for the nodes that launched them. */
function setUp() {
  const { fs } = new FakeStage();
  const newOwner = (profileDir = PROFILE) =>
    new BrowserOwner({
      profileDir,
      realPath: () => profileDir,
      recordPath: async () => RECORD,
      fs,
      clock: systemClock,
      random: new Dice(1).next,
      logger: silentLogger,
    });
  const promises = fs.promises as typeof import('node:fs').promises;
  return {
    newOwner,
    async lock(target: string): Promise<void> {
      await promises.mkdir(PROFILE, { recursive: true });
      await promises.symlink(target, `${PROFILE}/SingletonLock`);
    },
    async isLocked(): Promise<boolean> {
      return (await promises.readdir(PROFILE)).includes('SingletonLock');
    },
    async record(value: unknown): Promise<void> {
      await promises.mkdir('/bot/state', { recursive: true });
      await promises.writeFile(RECORD, typeof value === 'string' ? value : JSON.stringify(value));
    },
    async readRecord(): Promise<Record<string, unknown>> {
      return JSON.parse(String(await promises.readFile(RECORD, 'utf8'))) as Record<string, unknown>;
    },
  };
}

const children: ChildProcess[] = [];

async function newProcess(...args: string[]): Promise<ProcessIdentity> {
  const child = spawn(
    process.execPath,
    ['-e', 'process.send(1); setInterval(() => {}, 1000)', '--', ...args],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    },
  );
  children.push(child);
  await once(child, 'message'); // it runs
  const identity = await identityOf(child.pid ?? 0);
  if (!identity) throw new Error('the process has no identity');
  return identity;
}

async function deadProcess(): Promise<ProcessIdentity> {
  const identity = await newProcess();
  await end(children.find(({ pid }) => pid === identity.pid));
  return identity;
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function isAlive({ pid }: ProcessIdentity): boolean {
  const child = children.find((candidate) => candidate.pid === pid);
  return child?.exitCode === null && child.signalCode === null;
}

async function isGone(identity: ProcessIdentity): Promise<void> {
  const child = children.find(({ pid }) => pid === identity.pid);
  if (child && isAlive(identity)) await once(child, 'exit');
}

describe('the owner of a browser', () => {
  afterEach(async () => {
    for (const child of children.splice(0)) await end(child);
  });

  it('leaves a profile that nobody holds alone', async () => {
    await expect(setUp().newOwner().reclaimProfile()).resolves.toBeUndefined();
  });

  it('removes the lock of another host: the lease is ours (every redeploy meets this)', async () => {
    const { newOwner, lock, isLocked } = setUp();
    await lock('otherhost-12345');
    await newOwner().reclaimProfile();
    expect(await isLocked()).toBe(false);
  });

  it('removes the lock of a process that is dead', async () => {
    const { newOwner, lock, isLocked } = setUp();
    await lock(`${hostname()}-${(await deadProcess()).pid}`);
    await newOwner().reclaimProfile();
    expect(await isLocked()).toBe(false);
  });

  it('ends nothing that it can not prove to be its own: ProfileLockedError with the pid, and the lock stays', async () => {
    const { newOwner, lock, isLocked } = setUp();
    const stranger = await newProcess();
    await lock(`${hostname()}-${stranger.pid}`);
    await expect(newOwner().reclaimProfile()).rejects.toMatchObject({
      code: 'PROFILE_LOCKED',
      pid: stranger.pid,
    });
    expect(isAlive(stranger)).toBe(true);
    expect(await isLocked()).toBe(true);
  });

  it('ends the recorded browser of a launcher that is dead', async () => {
    const { newOwner, record, lock, isLocked } = setUp();
    const browser = await newProcess();
    await record({ host: hostname(), launcher: await deadProcess(), mark: MARK, browser });
    await lock(`${hostname()}-${browser.pid}`);
    await newOwner().reclaimProfile();
    await isGone(browser);
    expect(await isLocked()).toBe(false);
  });

  it('ends a browser that carries the mark of a launcher that is dead, though it was never recorded', async () => {
    const { newOwner, record, lock, isLocked } = setUp();
    const browser = await newProcess(`--wwebjs-persistent-session=${MARK}`);
    await record({ host: hostname(), launcher: await deadProcess(), mark: MARK });
    await lock(`${hostname()}-${browser.pid}`);
    await newOwner().reclaimProfile();
    await isGone(browser);
    expect(await isLocked()).toBe(false);
  });

  it.each([
    ['its launcher is alive', async () => ({ launcher: await newProcess(), host: hostname() })],
    ['the record is of another host', async () => ({ launcher: await deadProcess(), host: 'otherhost' })],
  ])('does not end a browser when %s', async (_name, origin) => {
    const { newOwner, record, lock } = setUp();
    const browser = await newProcess(`--wwebjs-persistent-session=${MARK}`);
    await record({ ...(await origin()), mark: MARK, browser });
    await lock(`${hostname()}-${browser.pid}`);
    await expect(newOwner().reclaimProfile()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    expect(isAlive(browser)).toBe(true);
  });

  it('does not end a process that has only the pid of the recorded browser', async () => {
    const { newOwner, record } = setUp();
    const other = await newProcess();
    const browser = { ...other, startTime: 'another' };
    await record({ host: hostname(), launcher: await deadProcess(), mark: MARK, browser });
    await newOwner().reclaimProfile();
    expect(isAlive(other)).toBe(true);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', 'null'],
    ['without a mark', '{"host":"h","launcher":{"pid":1,"startTime":"1"},"mark":""}'],
    ['with a launcher that is none', '{"host":"h","launcher":null,"mark":"m"}'],
    [
      'with a browser that is none',
      '{"host":"h","launcher":{"pid":1,"startTime":"1"},"mark":"m","browser":{"pid":"1"}}',
    ],
  ])('proves nothing by a record that is %s', async (_name, text) => {
    const { newOwner, record, lock } = setUp();
    const stranger = await newProcess();
    await record(text);
    await lock(`${hostname()}-${stranger.pid}`);
    await expect(newOwner().reclaimProfile()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    expect(isAlive(stranger)).toBe(true);
  });

  it('marks every launch anew, in the arguments of the browser and in the record', async () => {
    const { newOwner, readRecord } = setUp();
    const client = { options: { puppeteer: { args: ['--no-sandbox'] } } } as unknown as ClientInternals;
    const owner = newOwner();
    await owner.announceLaunch(client);
    const first = client.options?.puppeteer?.args ?? [];
    expect(first).toEqual([
      '--no-sandbox',
      `--wwebjs-persistent-session=${String((await readRecord()).mark)}`,
    ]);
    await owner.announceLaunch(client);
    const second = client.options?.puppeteer?.args ?? [];
    expect(second).toHaveLength(2);
    expect(second[1]).not.toBe(first[1]);
    expect(await readRecord()).toMatchObject({ host: hostname(), launcher: { pid: process.pid } });
  });

  it('marks the launch of a client without options, too', async () => {
    const client = {} as ClientInternals;
    await setUp().newOwner().announceLaunch(client);
    expect(client.options?.puppeteer?.args).toHaveLength(1);
  });

  it('records its browser, and ends what is left of it, once', async () => {
    const { newOwner, readRecord } = setUp();
    const owner = newOwner();
    await owner.announceLaunch({} as ClientInternals);
    const browser = await newProcess();
    owner.noteBrowser(undefined);
    owner.noteBrowser(browser.pid);
    expect(await owner.endOwn()).toBe(true);
    await isGone(browser);
    expect(await owner.endOwn()).toBe(false);
    await expect.poll(readRecord).toMatchObject({ browser });
  });

  it('removes the lock of its browser with it, and no other', async () => {
    const { newOwner, lock, isLocked } = setUp();
    const owner = newOwner();
    const browser = await newProcess();
    await lock(`${hostname()}-${browser.pid}`);
    owner.noteBrowser(browser.pid);
    await owner.endOwn();
    expect(await isLocked()).toBe(false);
    await lock(`otherhost-${browser.pid}`);
    owner.noteBrowser((await newProcess()).pid);
    await owner.endOwn();
    expect(await isLocked()).toBe(true);
  });

  it('ends a browser that an earlier run of this very process left', async () => {
    const { newOwner, lock, isLocked } = setUp();
    const owner = newOwner();
    const client = {} as ClientInternals;
    await owner.announceLaunch(client);
    const browser = await newProcess(...(client.options?.puppeteer?.args ?? []));
    await lock(`${hostname()}-${browser.pid}`);
    await owner.reclaimProfile();
    await isGone(browser);
    expect(await isLocked()).toBe(false);
  });

  it('has a profile for itself in this process, until it gives it free', () => {
    const { newOwner } = setUp();
    const [first, second, elsewhere] = [newOwner(), newOwner(), newOwner('/elsewhere')];
    first.claim();
    first.claim();
    elsewhere.claim();
    second.unclaim(); // not its own
    expect(() => second.claim()).toThrow('another session of this process');
    first.unclaim();
    second.claim();
    second.unclaim();
    elsewhere.unclaim();
  });

  it('shares no profile with a session on another file system, though the path is the same', () => {
    const [here, there] = [setUp(), setUp()];
    const [first, second] = [here.newOwner(), there.newOwner()];
    first.claim();
    second.claim();
    second.unclaim(); // the first one's claim stays
    expect(() => here.newOwner().claim()).toThrow('another session of this process');
    first.unclaim();
    here.newOwner().claim();
  });

  it('shares the profiles of the real file system, under whatever object it is handed in', () => {
    const owner = (fs: FileSystem) =>
      new BrowserOwner({
        profileDir: '/bot/shared',
        realPath: () => '/bot/shared',
        recordPath: async () => RECORD,
        fs,
        clock: systemClock,
        random: new Dice(1).next,
        logger: silentLogger,
      });
    const first = owner(systemFileSystem);
    first.claim();
    expect(() => owner({ ...systemFileSystem }).claim()).toThrow('another session of this process');
    first.unclaim();
  });
});
