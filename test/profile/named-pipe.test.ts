import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyPrefix } from '../../src/profile/capture/copy-file.js';
import { ChangedMeanwhile } from '../../src/profile/capture/retry.js';
import { DamageError } from '../../src/profile/leveldb/damage.js';
import { readAtOf } from '../../src/profile/leveldb/read-at.js';
import { hashOfStart } from '../../src/profile/soundness/hash-of-start.js';
import { useNamedPipes } from '../support/named-pipe.js';
import { temporaryFolder } from './profiles.js';

describe('a named pipe in the place of a file of the profile', () => {
  const plantPipe = useNamedPipes();

  async function planted(): Promise<string> {
    const folder = await temporaryFolder();
    await plantPipe(path.join(folder, 'CURRENT'));
    return folder;
  }

  it('is damage to who reads a database', async () => {
    await expect(readAtOf(fs, path.join(await planted(), 'CURRENT'))).rejects.toThrow(DamageError);
  });

  it('is a torn moment to a capture', async () => {
    const places = { fs, profileDir: await planted(), targetDir: await temporaryFolder() };
    await expect(copyPrefix(places, 'CURRENT')).rejects.toThrow(ChangedMeanwhile);
  });

  it('can’t be read by who compares', async () => {
    expect(await hashOfStart(fs, path.join(await planted(), 'CURRENT'), 100)).toBe('unreadable');
  });
});
