import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  DUPLICATE_SIGNAL_MS,
  ShutdownCoordinator,
  type SignalledProcess,
  shutdownCoordinator,
} from '../../../src/supervision/ownership/shutdown-signals.js';
import { ManualClock, settle } from '../../lease/manual-clock.js';
import { bundle } from '../../support/bundle.js';

class FakeProcess extends EventEmitter implements SignalledProcess {
  readonly raised: NodeJS.Signals[] = [];
  readonly exits: number[] = [];
  canRaise = true;

  constructor(readonly pid = 4711) {
    super();
  }

  kill(pid: number, signal: NodeJS.Signals): void {
    expect(pid).toBe(this.pid);
    if (!this.canRaise) throw Object.assign(new Error('kill ENOSYS'), { code: 'ENOSYS' });
    this.raised.push(signal);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  send(signal: NodeJS.Signals): void {
    this.emit(signal, signal);
  }
}

function setUp(fake = new FakeProcess()) {
  const clock = new ManualClock();
  return { fake, clock, coordinator: new ShutdownCoordinator({ process: fake, clock }) };
}

/** A session whose shutdown lasts until the test says so. */
function session(signals: NodeJS.Signals[] = ['SIGTERM'], budgetMs = 10_000) {
  const calls: NodeJS.Signals[] = [];
  let finish: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const shutdown = (signal: NodeJS.Signals) => {
    calls.push(signal);
    return closed;
  };
  return { calls, finish, registration: { signals, shutdown, budgetMs } };
}

describe('listening', () => {
  it('goes on from the first session that wants a signal to the last, with one listener for all', () => {
    const { fake, coordinator } = setUp();
    expect(fake.eventNames()).toEqual([]);
    const first = coordinator.register(session(['SIGTERM', 'SIGINT']).registration);
    const second = coordinator.register(session(['SIGTERM']).registration);
    expect([fake.listenerCount('SIGTERM'), fake.listenerCount('SIGINT')]).toEqual([1, 1]);
    first();
    first();
    expect([fake.listenerCount('SIGTERM'), fake.listenerCount('SIGINT')]).toEqual([1, 0]);
    second();
    expect(fake.eventNames()).toEqual([]);
  });
});

describe('a signal', () => {
  it('waits for every session that wants it, and is raised once all have closed', async () => {
    const { fake, coordinator } = setUp();
    const [one, two, other] = [session(), session(), session(['SIGINT'])];
    for (const { registration } of [one, two, other]) coordinator.register(registration);
    fake.send('SIGTERM');
    await settle();
    expect([one.calls, two.calls, other.calls]).toEqual([['SIGTERM'], ['SIGTERM'], []]);
    one.finish();
    await settle();
    expect(fake.raised).toEqual([]);
    two.finish();
    await settle();
    expect(fake.raised).toEqual(['SIGTERM']);
    expect(fake.listenerCount('SIGTERM')).toBe(0);
    expect(fake.exits).toEqual([]);
  });

  it('waits for each session no longer than its budget', async () => {
    const { fake, clock, coordinator } = setUp();
    coordinator.register(session(['SIGTERM'], 3000).registration);
    coordinator.register(session(['SIGTERM'], 8000).registration);
    fake.send('SIGTERM');
    await clock.advance(7999);
    expect(fake.raised).toEqual([]);
    await clock.advance(1);
    expect(fake.raised).toEqual(['SIGTERM']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is raised although a shutdown fails or throws', async () => {
    const { fake, coordinator } = setUp();
    coordinator.register({
      signals: ['SIGTERM'],
      budgetMs: 1000,
      shutdown: () => {
        throw new Error('at once');
      },
    });
    coordinator.register({
      signals: ['SIGTERM'],
      budgetMs: 1000,
      shutdown: () => Promise.reject(new Error('later')),
    });
    fake.send('SIGTERM');
    await settle();
    expect(fake.raised).toEqual(['SIGTERM']);
  });

  it.each(['on', 'once'] as const)('is left to a listener of the bot itself (%s)', async (method) => {
    const { fake, coordinator } = setUp();
    let heard = 0;
    fake[method]('SIGTERM', () => heard++);
    const only = session();
    coordinator.register(only.registration);
    fake.send('SIGTERM');
    only.finish();
    await settle();
    expect(heard).toBe(1);
    expect(only.calls).toEqual(['SIGTERM']);
    expect(fake.raised).toEqual([]);
    expect(fake.listenerCount('SIGTERM'), 'the session goes on listening').toBe(method === 'on' ? 2 : 1);
  });

  it('is answered again when the bot decided to live on', async () => {
    const { fake, coordinator } = setUp();
    fake.on('SIGTERM', () => undefined);
    const only = session();
    coordinator.register(only.registration);
    only.finish();
    fake.send('SIGTERM');
    await settle();
    fake.send('SIGTERM');
    await settle();
    expect(only.calls).toEqual(['SIGTERM', 'SIGTERM']);
  });

  it('does not meet an unguarded process when the shutdown itself unregisters the last session', async () => {
    const { fake, coordinator } = setUp();
    const only = session();
    const unregister = coordinator.register(only.registration);
    fake.send('SIGTERM');
    unregister();
    expect(fake.listenerCount('SIGTERM')).toBe(1);
    only.finish();
    await settle();
    expect(fake.listenerCount('SIGTERM')).toBe(0);
    expect(fake.raised).toEqual(['SIGTERM']);
  });
});

describe('the same signal once more', () => {
  it('is handed on at once', async () => {
    const { fake, clock, coordinator } = setUp();
    const only = session();
    coordinator.register(only.registration);
    fake.send('SIGTERM');
    await clock.advance(DUPLICATE_SIGNAL_MS);
    fake.send('SIGTERM');
    expect(fake.raised).toEqual(['SIGTERM']);
    only.finish();
    await settle();
    expect(fake.raised, 'raised once').toEqual(['SIGTERM']);
    expect(only.calls).toEqual(['SIGTERM']);
  });

  it('counts as the first when it follows it within a moment: npm and the terminal both send one', async () => {
    const { fake, clock, coordinator } = setUp();
    coordinator.register(session(['SIGINT']).registration);
    fake.send('SIGINT');
    await clock.advance(DUPLICATE_SIGNAL_MS - 1);
    fake.send('SIGINT');
    expect(fake.raised).toEqual([]);
  });

  it('does not cut short the wait for another signal', async () => {
    const { fake, clock, coordinator } = setUp();
    const only = session(['SIGINT', 'SIGTERM']);
    coordinator.register(only.registration);
    fake.send('SIGINT');
    await clock.advance(2000);
    fake.send('SIGTERM');
    await settle();
    expect(fake.raised).toEqual([]);
    expect(only.calls).toEqual(['SIGINT', 'SIGTERM']);
  });
});

describe('a process that a signal does not end', () => {
  it('exits with the code of the signal when it is pid 1 of a container', async () => {
    const { fake, coordinator } = setUp(new FakeProcess(1));
    const only = session();
    coordinator.register(only.registration);
    only.finish();
    fake.send('SIGTERM');
    await settle();
    expect(fake.exits).toEqual([143]);
  });

  it('exits with the code of the signal when the system cannot raise it', async () => {
    const { fake, coordinator } = setUp();
    fake.canRaise = false;
    const only = session(['SIGHUP']);
    coordinator.register(only.registration);
    only.finish();
    fake.send('SIGHUP');
    await settle();
    expect(fake.exits).toEqual([129]);
  });
});

describe('shutdownCoordinator', () => {
  it('is one for all copies of this module: the ESM and the CJS build share it', async () => {
    // A query makes it another module to vitest, as another build would be.
    const copy: typeof import('../../../src/supervision/ownership/shutdown-signals.js') = await import(
      '../../../src/supervision/ownership/shutdown-signals.js?copy' as string
    );
    expect(copy.ShutdownCoordinator).not.toBe(ShutdownCoordinator);
    expect(copy.shutdownCoordinator).toBe(shutdownCoordinator);
  });

  const source = join(import.meta.dirname, '../../../src/supervision/ownership/shutdown-signals.ts');

  /** Runs a bot of a few lines, signals it when it says "up", and tells how it ended. */
  async function bot(body: string, signal: NodeJS.Signals) {
    const [module] = bundle(source);
    const script = `import { shutdownCoordinator } from ${JSON.stringify(pathToFileURL(module).href)};
      import { setTimeout as sleep } from 'node:timers/promises';
      const hold = setInterval(() => undefined, 1000);
      ${body}
      console.log('up');`;
    const node = ['--input-type=module', '--eval', script];
    const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (String(chunk).includes('up')) child.kill(signal);
    });
    const [code, endedBy] = await once(child, 'close');
    return { code, endedBy, output: output.trim().split('\n') };
  }

  it('ends a real process by its signal, after the shutdown is complete', async () => {
    const save = `shutdownCoordinator.register({ signals: ['SIGTERM'], budgetMs: 10_000, shutdown: async (signal) => {
      clearInterval(hold); await sleep(50, undefined, { ref: false }); console.log('saved on ' + signal); } });`;
    const ended = await bot(save, 'SIGTERM');
    expect(ended).toEqual({ code: null, endedBy: 'SIGTERM', output: ['up', 'saved on SIGTERM'] });
  });

  it('leaves the end of a real process to the handler of the bot', async () => {
    const own = `shutdownCoordinator.register({ signals: ['SIGINT'], budgetMs: 10_000, shutdown: async () => {
        await sleep(20); console.log('saved'); setTimeout(() => process.exit(7), 50); } });
      process.once('SIGINT', () => console.log('bot heard it'));`;
    const ended = await bot(own, 'SIGINT');
    expect(ended).toEqual({ code: 7, endedBy: null, output: ['up', 'bot heard it', 'saved'] });
  });
});
