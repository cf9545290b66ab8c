import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach } from 'vitest';

/** Creates named pipes. After each test, releases calls that are still blocked on one, so that a failing test ends. */
export function useNamedPipes(): (path: string) => Promise<void> {
  let pipes: string[] = [];
  afterEach(async () => {
    for (const pipe of pipes.filter((path) => fs.existsSync(path))) {
      const { O_RDWR, O_NONBLOCK } = fs.constants;
      const ends = fs.openSync(pipe, O_RDWR | O_NONBLOCK);
      await new Promise((resolve) => setTimeout(resolve, 20));
      fs.closeSync(ends);
    }
    pipes = [];
  });
  return async (path) => {
    await rm(path, { force: true });
    await mkdir(dirname(path), { recursive: true });
    execFileSync('mkfifo', [path]);
    pipes.push(path);
  };
}
