import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrowserVersion } from '../../../src/client/browser-version.js';
import { rememberedVersion } from '../../../src/supervision/browser/remembered-version.js';
import { failingFileSystem } from '../../../src/testing/failing-file-system.js';
import { memoryFileSystem } from '../../support/fake-stage.js';

const FILE = '/state/browser-program.json';

describe('the remembered version of a browser', () => {
  let folder: string;
  let program: string;
  let asked = 0;
  let answer: BrowserVersion | undefined;
  const fs = failingFileSystem(memoryFileSystem());

  const versionOf = (executablePath = program) =>
    rememberedVersion(executablePath, {
      fs,
      path: async () => FILE,
      ask: async () => {
        asked++;
        return answer;
      },
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wwebjs-program-'));
    program = join(folder, 'chromium');
    await writeFile(program, '#!/bin/sh\n');
    await fs.promises.rm('/state', { recursive: true, force: true });
    fs.arm({});
    asked = 0;
    answer = { text: 'Chromium 156.0.8078.108', major: 156 };
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is asked for once, as long as the program is the same file', async () => {
    expect([await versionOf(), await versionOf()]).toEqual([answer, answer]);
    expect(asked).toBe(1);
  });

  it.each([
    ['was written anew', () => writeFile(program, '#!/bin/sh\n# 148\n')],
    ['has another time', () => utimes(program, 1, 1)],
  ])('is asked for again where the program %s', async (_, change) => {
    await versionOf();
    await change();
    answer = { text: 'Chromium 148.0.7000.1', major: 148 };
    expect(await versionOf()).toEqual(answer);
    expect(asked).toBe(2);
  });

  it('is asked for again of another program', async () => {
    await versionOf();
    const other = join(folder, 'other');
    await writeFile(other, '#!/bin/sh\n');
    await versionOf(other);
    expect(asked).toBe(2);
  });

  it.each(['{"program":7}', 'garbage', '[]', '{}'])(
    'is asked for again where %s is remembered',
    async (text) => {
      await versionOf();
      await fs.promises.writeFile(FILE, text);
      expect(await versionOf()).toEqual(answer);
      expect(asked).toBe(2);
    },
  );

  it('is that of a program that can not be looked at, or does not answer, as far as it says one', async () => {
    expect(await versionOf('/nowhere/chromium')).toEqual(answer);
    answer = undefined;
    expect([await versionOf(), await versionOf()]).toEqual([undefined, undefined]);
    expect(asked).toBe(3);
  });

  it('is asked for each time where it can not be written down', async () => {
    fs.arm({ path: 'browser-program', errno: 'ENOSPC', failOn: 1, times: Number.POSITIVE_INFINITY });
    expect([await versionOf(), await versionOf()]).toEqual([answer, answer]);
    expect(asked).toBe(2);
  });
});
