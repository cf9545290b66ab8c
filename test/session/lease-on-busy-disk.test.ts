import { describe, expect, it } from 'vitest';
import { gatedFileSystem } from '../../src/disk-gate/gated-file-system.js';
import type { FileSystem } from '../../src/file-system.js';
import { useFakeStage } from '../support/fake-stage.js';
import { slowDisk } from '../support/slow-disk.js';

const CALL_MS = 20;
const READERS = 400;

describe('the lease of a session whose disk is slow and busy', () => {
  const stage = useFakeStage();

  it.each(['/bot/session', '/bot/auth'])(
    'is proven all the time, however many calls wait for %s',
    async (place) => {
      const { fs, clock } = stage();
      let isSlow = false;
      const disk = slowDisk(fs, clock, { ms: CALL_MS, isSlow: () => isSlow });
      const lines: string[] = [];
      const note = (message: string) => void lines.push(message);
      const logger = { debug: () => undefined, info: note, warn: note, error: note };
      const bot = stage().bot({ session: { fs: disk, logger, healthCheckIntervalMs: 0 } });
      await bot.logIn();
      await bot.until('the first copies', () => bot.payloads('backup:completed').length > 0);
      lines.length = 0;
      isSlow = true;
      const others = gatedFileSystem(disk, { folders: { roots: [place], givenUp: [] }, clock });
      const reading = Array.from({ length: READERS }, () => readWhile(() => isSlow, others, place));
      for (let second = 0; second < 30; second++) await clock.advance(1000);
      expect(lines.filter((line) => line.includes('lease'))).toEqual([]);
      isSlow = false;
      await bot.finish(Promise.all(reading));
    },
  );
});

/** A reader of a bulk of files, as a walk of a profile is. */
async function readWhile(goesOn: () => boolean, fs: FileSystem, path: string): Promise<void> {
  while (goesOn()) await fs.promises.stat(path);
}
