import fs from 'node:fs';
import { mkdir, mkdtemp, readdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { failingFileSystem } from '../../src/testing/failing-file-system.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const QUIET = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };

/** How the profile is a link: `link` leads to `target`; the folders of the bot lie in `root`. */
interface Linked {
  readonly link: string;
  readonly target: string;
}

describe.each<[string, (root: string) => Promise<Linked>]>([
  [
    'a link to a folder',
    async (root) => {
      const target = join(root, 'volume', 'profile');
      await mkdir(target, { recursive: true });
      await mkdir(join(root, 'bot', 'auth'), { recursive: true });
      const link = join(root, 'bot', 'auth', 'session-shop');
      await symlink(target, link);
      return { link, target };
    },
  ],
  [
    'a relative link to what is not there yet',
    async (root) => {
      await mkdir(join(root, 'bot', 'auth'), { recursive: true });
      const link = join(root, 'bot', 'auth', 'session-shop');
      await symlink('../../volume/profile', link);
      return { link, target: join(root, 'volume', 'profile') };
    },
  ],
  [
    'a link to a link',
    async (root) => {
      await mkdir(join(root, 'bot', 'auth'), { recursive: true });
      await mkdir(join(root, 'volume'));
      await symlink(join(root, 'volume', 'profile'), join(root, 'volume', 'current'));
      const link = join(root, 'bot', 'auth', 'session-shop');
      await symlink(join(root, 'volume', 'current'), link);
      return { link, target: join(root, 'volume', 'profile') };
    },
  ],
  [
    'below a link that leads to nothing yet',
    async (root) => {
      await mkdir(join(root, 'bot'));
      const link = join(root, 'bot', 'auth');
      await symlink(join(root, 'volume', 'auth'), link);
      return { link, target: join(root, 'volume', 'auth') };
    },
  ],
])('a profile that is %s', (_name, make) => {
  const stage = useFakeStage();
  let root: string;
  let linked: Linked;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'linked-'));
    roots.push(root);
    linked = await make(root);
  });
  const roots: string[] = [];
  afterAll(() => Promise.all(roots.map((one) => rm(one, { recursive: true, force: true }))));

  const bot = (real: FileSystem = fs): FakeBot =>
    stage().bot({ folder: join(root, 'bot'), client: { fs: real }, session: { ...QUIET, fs: real } });

  /** The link is there, leads where it led, and that is a folder. */
  async function expectLinked(): Promise<void> {
    expect(await readlink(linked.link)).toBeDefined();
    expect((await stat(linked.link)).isDirectory()).toBe(true);
    expect((await stat(linked.target)).isDirectory()).toBe(true);
  }

  it('shows a QR at the first start, and is ready after it', async () => {
    const one = bot();
    await one.logIn();
    await expectLinked();
    await one.stop();
    const next = bot();
    await next.start();
    expect(next.state).toBe('ready');
  });

  it('shows a new QR after a logout by the phone, here and at the next start', async () => {
    const one = bot();
    await one.logIn();
    await one.client.logOutByPhone();
    await one.untilState('awaiting_qr');
    await expectLinked();
    await one.stop();
    const next = bot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
    await next.client.scan();
    await next.untilState('ready');
    await expectLinked();
  });

  it('keeps its link, and its quarantine, after client.logout()', async () => {
    const one = bot();
    await one.logIn();
    await one.finish(one.client.logout());
    await expectLinked();
    const [quarantined] = one.payloads('session:quarantined');
    expect(await readdir(join(quarantined?.path ?? '', 'profile'))).toContain('Default');
    const next = bot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });

  it('leads to an empty folder after clear()', async () => {
    const one = bot();
    await one.logIn();
    await one.finish(one.session.clear());
    await expectLinked();
    const next = bot();
    await next.start();
    expect(next.state).toBe('awaiting_qr');
  });

  it('is restored into the folder it leads to', async () => {
    const one = bot();
    await one.logIn();
    await one.save('one');
    await one.stop();
    await rm(linked.target, { recursive: true });
    const next = bot();
    await next.start();
    expect(next.state).toBe('ready');
    expect(next.codes).toEqual([]);
    await expectLinked();
    expect(next.payloads('session:quarantined')).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5])(
    'survives a restore whose rename no. %i and all later ones fail',
    async (failOn) => {
      const one = bot();
      await one.logIn();
      await one.save('one');
      await one.stop();
      const failing = failingFileSystem(fs);
      const next = bot(failing);
      failing.arm({ operation: 'rename', failOn, times: Number.POSITIVE_INFINITY });
      await expect(next.finish(next.session.restore())).rejects.toThrow();
      failing.arm({});
      await next.start();
      expect(next.state).toBe('ready');
      expect(next.codes).toEqual([]);
      await expectLinked();
    },
  );
});
