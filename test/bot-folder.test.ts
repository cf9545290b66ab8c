import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBotFolder } from '../src/platform/bot-folder.js';

describe('the folder of the bot', () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'bot-folder-')));
    await mkdir(join(root, 'app', 'dist'), { recursive: true });
    await writeFile(join(root, 'app', 'package.json'), '{}');
    await writeFile(join(root, 'app', 'dist', 'bot.js'), '');
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is that of the package.json above its script', () => {
    expect(findBotFolder(join(root, 'app', 'dist', 'bot.js'))).toBe(join(root, 'app'));
  });

  it('is found through a link', async () => {
    await symlink(join(root, 'app'), join(root, 'current'));
    expect(findBotFolder(join(root, 'current', 'dist', 'bot.js'))).toBe(join(root, 'app'));
  });

  it('is none where no script is known, or there is none', () => {
    expect(findBotFolder(join(root, 'missing.js'))).toBeUndefined();
  });
});
