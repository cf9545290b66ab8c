import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { systemFileSystem } from '../../src/file-system.js';
import { LocalLease } from '../../src/lease/local-lease.js';
import { bundle } from '../support/bundle.js';

const source = (file: string) => join(import.meta.dirname, '../../src', file);
const [LEASE, CLOCK, FILES] = bundle(
  source('lease/local-lease.ts'),
  source('clock.ts'),
  source('file-system.ts'),
).map((path) => JSON.stringify(pathToFileURL(path).href));

let directory: string;
const bots: Bot[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lease-'));
});

afterEach(async () => {
  await Promise.all(bots.splice(0).map((bot) => bot.kill()));
  await rm(directory, { recursive: true });
});

/** A real process that wants the session as soon as it is told to. */
class Bot {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(count: number) {
    const script = `
      import { LocalLease } from ${LEASE};
      import { systemClock as clock } from ${CLOCK};
      import { systemFileSystem as fs } from ${FILES};
      const leases = Array.from({ length: ${count} }, () =>
        new LocalLease({ directory: ${JSON.stringify(directory)}, clientId: 'shop', fs, clock }));
      process.stdin.on('data', async (said) => {
        if (String(said) === 'release') { await Promise.all(leases.map((lease) => lease.release())); return console.log('released'); }
        const results = await Promise.allSettled(leases.map((lease) => lease.acquire()));
        console.log(results.map(({ value, reason }) => value?.generation ?? reason.code).join(' '));
      });
      console.log('up');`;
    const node = ['--input-type=module', '--eval', script];
    this.#child = spawn(process.execPath, node, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = linesOf(this.#child);
    bots.push(this);
  }

  async hear(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the bot ended');
    return value;
  }

  async ask(what: 'acquire' | 'release'): Promise<string> {
    this.#child.stdin?.write(what);
    return this.hear();
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of child.stdout ?? []) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function startBots(count: number, leasesEach = 1): Promise<readonly Bot[]> {
  const started = Array.from({ length: count }, () => new Bot(leasesEach));
  for (const bot of started) expect(await bot.hear()).toBe('up');
  return started;
}

describe('real processes', () => {
  it('race for one session: one wins, and after its SIGKILL another one takes over at once', async () => {
    const racing = await startBots(3, 4);
    const answers = await Promise.all(racing.map((bot) => bot.ask('acquire')));
    const results = answers.join(' ').split(' ').sort();
    expect(results).toEqual(['1', ...Array.from({ length: 11 }, () => 'LEASE_HELD')]);

    const winner = racing.find((_, index) => answers[index]?.includes('1'));
    await winner?.kill();
    const lease = new LocalLease({ directory, clientId: 'shop', fs: systemFileSystem, clock: systemClock });
    expect((await lease.acquire()).generation).toBe(2);
    expect(await readdir(directory)).toEqual(['shop.2.lease']);

    const loser = racing.find((bot) => bot !== winner);
    expect(await loser?.ask('acquire')).toBe('LEASE_HELD LEASE_HELD LEASE_HELD LEASE_HELD');
    await lease.release();
  });

  it('hand it on to one another by releasing it', async () => {
    const [first, second] = await startBots(2);
    expect(await first?.ask('acquire')).toBe('1');
    expect(await first?.ask('release')).toBe('released');
    expect(await second?.ask('acquire')).toBe('2');
    expect(await first?.ask('acquire')).toBe('LEASE_HELD');
  });
});
