import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, open, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../../src/errors.js';
import { systemFileSystem } from '../../../src/file-system.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import type { PersistentBot } from '../../support/persistent-bot.js';
import type { SuperviseCase } from './case.js';
import type { SuperviseScene } from './scene.js';

/** The calls that a full disk refuses; reading and overwriting still work. */
const NEEDS_ROOM =
  /^(mkdir|writeFile|copyFile|createWriteStream|writeStream\.write|handle\.(write|writev|writeFile))$/;
const SMALL_DISK_MEGABYTES = 16;

/** Faults of the disk: it is full, or another machine has left its lock. */
export const DISK_CASES: readonly SuperviseCase[] = [
  {
    name: 'disk full during a save (ENOSPC from the file system)',
    expected: { states: [] },
    run: async (scene) => {
      const fs = failingFileSystem(systemFileSystem);
      const bot = await scene.ready({ session: { fs, forceSaveIntervalMs: 0, backupIntervalMs: 0 } });
      const fill = async () =>
        fs.arm({ errno: 'ENOSPC', failOn: 1, times: Infinity, operation: NEEDS_ROOM, path: /\/store\// });
      await savesAgain(scene, bot, fill, async () => fs.arm({}));
    },
  },
  {
    name: 'disk full during a save (a real small disk)',
    expected: { states: [] },
    missing: () =>
      process.platform === 'linux' && process.getuid?.() === 0
        ? undefined
        : 'needs root on Linux, to mount a disk',
    run: async (scene) => {
      const { sessionPath } = await scene.loggedInOnce();
      await rm(sessionPath, { recursive: true });
      await mkdir(sessionPath);
      mount(sessionPath);
      try {
        const bot = scene.bot({ session: { forceSaveIntervalMs: 0, backupIntervalMs: 0 } });
        await bot.session.initialize();
        scene.watch(bot);
        const filler = join(sessionPath, 'filler');
        await savesAgain(
          scene,
          bot,
          () => fillUp(filler),
          () => rm(filler),
        );
        scene.conclude();
        await bot.session.destroy();
      } finally {
        spawnSync('umount', ['--lazy', sessionPath]);
      }
    },
  },
  {
    name: "stale lock of another host's browser",
    expected: { states: ['restoring', 'starting', 'authenticated', 'ready'] },
    run: async (scene) => {
      const { profileDir } = await scene.loggedInOnce();
      await symlink('otherhost-12345', join(profileDir, 'SingletonLock'));
      const bot = scene.bot();
      scene.watch(bot);
      await bot.session.initialize();
    },
  },
];

/** Makes a good save, one that finds no space, and one that finds space again. The bot works all the time. */
async function savesAgain(
  scene: SuperviseScene,
  bot: PersistentBot,
  fill: () => Promise<void>,
  free: () => Promise<void>,
): Promise<void> {
  const good = await bot.session.forceSave();
  assert.ok('snapshot' in good, `the save before is taken, not ${JSON.stringify(good)}`);
  await scene.news();
  await fill();
  assert.deepEqual(await bot.session.forceSave(), { skipped: 'no-space' });
  assert.equal(bot.session.state, 'ready');
  await bot.session.sendTestMessage('4915100000002', 'still here');
  assert.deepEqual(
    (await bot.session.verify(good.snapshot.id)).corrupt,
    [],
    'the last good snapshot is whole',
  );
  await free();
  assert.ok('snapshot' in (await bot.session.forceSave()), 'with room again it is saved');
  scene.notes.push('no-space, then saved');
}

function mount(path: string): void {
  const { status, stderr } = spawnSync('mount', [
    ...['-t', 'tmpfs', '-o', `size=${SMALL_DISK_MEGABYTES}m`, 'none', path],
  ]);
  if (status !== 0) throw new Error(`no disk could be mounted: ${stderr}`);
}

/** Writes until the disk is full; the size of the disk limits it. */
async function fillUp(path: string): Promise<void> {
  const handle = await open(path, 'w');
  try {
    for (let size = 0; size <= SMALL_DISK_MEGABYTES; )
      size += (await handle.write(Buffer.alloc(4096))).bytesWritten / 2 ** 20;
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
}
