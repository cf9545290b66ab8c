import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.js';
import { parseStat, procfsSource } from '../src/processes/procfs.js';
import { parsePs, psSource } from '../src/processes/ps.js';
import { runCommand } from '../src/processes/run-command.js';
import { windowsSource } from '../src/processes/windows.js';
import {
  commandLine,
  endProcessTree,
  identityOf,
  isSameProcessAlive,
  listDescendants,
  type ProcessEntry,
  type ProcessIdentity,
  type ProcessSource,
  processNamespace,
  processSourceOf,
  selfIdentity,
  treeMemory,
} from '../src/processes.js';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A node process that says something once it runs `code`. */
async function startNode(
  code = '',
): Promise<{ child: ChildProcess; identity: ProcessIdentity; said: string }> {
  const body = `${code}; setInterval(() => undefined, 1000); if (!globalThis.quiet) console.log('up');`;
  const child = spawn(process.execPath, ['--eval', body], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = await once(child.stdout, 'data');
  const identity = await identityOf(pidOf(child));
  if (identity === undefined) throw new Error('the child has ended already');
  return { child, identity, said: String(said) };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the child did not start');
  return child.pid;
}

async function untilDead(identity: ProcessIdentity): Promise<void> {
  for (let look = 0; look < 500 && (await isSameProcessAlive(identity)); look++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A machine with a table of processes of the test's choosing. */
function tableOf(
  entries: readonly Partial<ProcessEntry>[],
  overrides: Partial<ProcessSource> = {},
): ProcessSource {
  const all = entries.map((entry) => ({ pid: 0, ppid: 0, startTime: 't', zombie: false, ...entry }));
  return {
    entry: async (pid) => all.find((entry) => entry.pid === pid),
    all: async () => all,
    commandLine: async () => undefined,
    memory: async () => new Map(),
    namespace: async () => 'test',
    ...overrides,
  };
}

const mute = async (): Promise<never> => {
  throw new Error('this machine does not tell');
};
const silentMachine: ProcessSource = {
  entry: mute,
  all: mute,
  commandLine: mute,
  memory: mute,
  namespace: mute,
};

describe('the identity of a process', () => {
  it('is stable while it lives', async () => {
    const self = await selfIdentity();
    expect(self.pid).toBe(process.pid);
    expect(self).toEqual(await identityOf(process.pid));
    expect(await isSameProcessAlive(self)).toBe(true);
  });

  it('is not that of another process which has the same pid', async () => {
    const self = await selfIdentity();
    expect(await isSameProcessAlive({ ...self, startTime: `${self.startTime}0` })).toBe(false);
  });

  it('ends with the process', async () => {
    const { child, identity } = await startNode();
    expect(await isSameProcessAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await isSameProcessAlive(identity)).toBe(false);
    expect(await identityOf(identity.pid)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')(
    'ends with the process, although a zombie keeps its pid',
    async () => {
      // `exec sleep` forgets the shell's child, so nobody collects it once it has ended.
      const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.push(parent);
      const [printed] = await once(parent.stdout, 'data');
      const pid = Number(String(printed));
      const identity = (await identityOf(pid)) ?? { pid, startTime: 'ended before we looked' };
      await untilDead(identity);
      expect((await processSourceOf('linux').entry(pid))?.zombie).toBe(true);
      expect(await isSameProcessAlive(identity)).toBe(false);
      expect(await identityOf(pid)).toBeUndefined();
      expect(await listDescendants(pidOf(parent))).toEqual([]);
    },
  );

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])('is nobody’s for %s, which no pid can be', async (pid) => {
    expect(await identityOf(pid)).toBeUndefined();
    expect(await isSameProcessAlive({ pid, startTime: '' })).toBe(false);
    expect(await commandLine(pid)).toBeUndefined();
  });

  it('is taken for alive where the machine hides the start time but the pid is taken', async () => {
    const someone = { pid: process.pid, startTime: 'any' };
    expect(await isSameProcessAlive(someone, silentMachine)).toBe(true);
    expect(await isSameProcessAlive(someone, tableOf([]))).toBe(true);
  });

  it('is made of what node knows where the machine tells nothing', async () => {
    const self = await selfIdentity(silentMachine);
    expect(self).toEqual(await selfIdentity(silentMachine));
    expect(self.startTime).toMatch(/^node:\d+$/);
    expect(await processNamespace(silentMachine)).toBeUndefined();
    expect(await commandLine(process.pid, silentMachine)).toBeUndefined();
  });
});

describe('commandLine', () => {
  it('is that of the process', async () => {
    const { child } = await startNode(`'find me'`);
    expect(await commandLine(pidOf(child))).toContain(`--eval 'find me'`);
  });
});

describe('listDescendants', () => {
  it('finds children and grandchildren, parents first', async () => {
    const grandchild = `setInterval(() => undefined, 1000); console.log(process.pid);`;
    const child = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}],
      { stdio: 'inherit' }); globalThis.quiet = true`;
    const { child: root, said } = await startNode(child);
    const found = await listDescendants(process.pid);
    const pids = found.map(({ pid }) => pid);
    expect(pids).toContain(Number(said));
    expect(pids.indexOf(pidOf(root))).toBeLessThan(pids.indexOf(Number(said)));
    expect(pids).not.toContain(process.pid);
    expect(
      await endProcessTree({ pid: pidOf(root), startTime: (await identityOf(pidOf(root)))?.startTime ?? '' }),
    ).toEqual([pidOf(root), Number(said)]);
  });

  it('ends although the table contains a loop', async () => {
    const loop = tableOf([
      { pid: 10, ppid: 11 },
      { pid: 11, ppid: 10 },
      { pid: 12, ppid: 12 },
    ]);
    expect(await listDescendants(10, loop)).toEqual([{ pid: 11, startTime: 't' }]);
  });
});

describe('endProcessTree', () => {
  it('kills a process that ignores every polite signal, and waits until it is gone', async () => {
    const { child, identity } = await startNode(`process.on('SIGTERM', () => undefined)`);
    const exit = once(child, 'exit');
    expect(await endProcessTree(identity, { graceMs: 20 })).toEqual([identity.pid]);
    expect(await isSameProcessAlive(identity)).toBe(false);
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  it('lets it close by itself within the grace', async () => {
    const { child, identity } = await startNode(`process.on('SIGTERM', () => process.exit(3))`);
    const exit = once(child, 'exit');
    expect(await endProcessTree(identity, { graceMs: 15_000 })).toEqual([identity.pid]);
    expect(await exit).toEqual([3, null]);
  });

  it('ends children, too, that are started after the first look', async () => {
    const { child } = await startNode();
    const real = processSourceOf(process.platform);
    let looks = 0;
    const source: ProcessSource = {
      ...real,
      all: async () => (++looks === 1 ? [] : (await real.all()).map((entry) => adopt(entry))),
    };
    const { child: root, identity } = await startNode();
    const adopt = (entry: ProcessEntry) =>
      entry.pid === child.pid ? { ...entry, ppid: pidOf(root) } : entry;
    expect(await endProcessTree(identity, { source })).toEqual([pidOf(root), pidOf(child)]);
  });

  it('leaves a process alone that got the pid later', async () => {
    const { child, identity } = await startNode();
    expect(await endProcessTree({ ...identity, startTime: 'long ago' })).toEqual([]);
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  it('leaves a process alone that gets the pid between the first look and the signal', async () => {
    const { child, identity } = await startNode();
    let looks = 0;
    const changing = processSourceOf(process.platform);
    const source: ProcessSource = {
      ...changing,
      entry: async (pid) => {
        const entry = await changing.entry(pid);
        if (pid !== identity.pid || entry === undefined) return entry;
        return ++looks <= 2 ? entry : { ...entry, startTime: 'just now' };
      },
    };
    expect(await endProcessTree(identity, { source })).toEqual([identity.pid]);
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  it('signals nobody where the start time can no longer be read', async () => {
    const { child, identity } = await startNode();
    await expect(endProcessTree(identity, { source: tableOf([]), deadlineMs: 60 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(String(identity.pid)),
    });
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  it('refuses the system’s first process, ourselves and our ancestors', async () => {
    for (const pid of [0, 1, -5, process.pid, process.ppid]) {
      const root = (await identityOf(pid)) ?? { pid, startTime: '' };
      await expect(endProcessTree(root, { clock: systemClock }), `pid ${pid}`).rejects.toThrow('refusing');
    }
  });

  it('refuses a grandparent, too', async () => {
    const parents = tableOf([{ pid: process.ppid, ppid: 4_000_000 }]);
    const root = { pid: 4_000_000, startTime: 't' };
    await expect(endProcessTree(root, { source: parents })).rejects.toThrow('refusing');
  });
});

describe('/proc', () => {
  it('is read although the name of a program holds spaces and parentheses', () => {
    const stat = `77 (a) Z (b c) S 5 77 77 0 -1 4194304 121 0 0 0 0 0 0 0 20 0 1 0 987654 1 2 3`;
    expect(parseStat(stat, 'boot')).toEqual({ pid: 77, ppid: 5, startTime: 'boot:987654', zombie: false });
    expect(parseStat(stat.replace(') S', ') Z'), 'boot')?.zombie).toBe(true);
  });

  it.each(['', '77', '77 (cat) S 5', 'x (cat) S 5 1 1'])(
    'says nothing where it makes no sense: "%s"',
    (stat) => {
      expect(parseStat(stat, 'boot')).toBeUndefined();
    },
  );

  it('tells one boot and one container from another, and reads what is there', async () => {
    const root = await mkdtemp(join(tmpdir(), 'proc-'));
    try {
      const source = procfsSource(root);
      await expect(source.namespace()).rejects.toThrow('ENOENT');
      await mkdir(join(root, '7'));
      await writeFile(join(root, '7/stat'), `7 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 55 1`);
      expect((await source.entry(7))?.startTime).toBe('unknown-boot:55');
      await mkdir(join(root, 'sys/kernel/random'), { recursive: true });
      await mkdir(join(root, 'self/ns'), { recursive: true });
      await writeFile(join(root, 'sys/kernel/random/boot_id'), 'b00t\n');
      await symlink('pid:[4026531836]', join(root, 'self/ns/pid'));
      expect(await source.namespace()).toBe('b00t pid:[4026531836]');
      await mkdir(join(root, '8')); // ended between the listing and the reading
      expect(await source.all()).toEqual([{ pid: 7, ppid: 1, startTime: 'b00t:55', zombie: false }]);
      expect(await source.commandLine(8)).toBeUndefined();
      await mkdir(join(root, '9/stat'), { recursive: true });
      await expect(source.entry(9), 'unreadable is not gone').rejects.toThrow('EISDIR');
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

describe('ps', () => {
  it('reads the table of macOS, zombies included', () => {
    const output = `    1     0 Ss   Mon Nov 23 05:13:20 2026    \n  501     1 Z+   Mon Nov 23 05:14:00 2026\nnonsense\n`;
    expect(parsePs(output)).toEqual([
      { pid: 1, ppid: 0, startTime: 'Mon Nov 23 05:13:20 2026', zombie: false },
      { pid: 501, ppid: 1, startTime: 'Mon Nov 23 05:14:00 2026', zombie: true },
    ]);
  });

  it.runIf(process.platform !== 'win32')('knows this very process and nobody who is gone', async () => {
    const source = psSource();
    expect(await source.entry(process.pid)).toMatchObject({
      pid: process.pid,
      ppid: process.ppid,
      zombie: false,
    });
    expect((await source.all()).map(({ pid }) => pid)).toContain(process.pid);
    expect(await source.commandLine(process.pid)).toContain('node');
    expect(await source.namespace()).toBe(process.platform);
    const { child } = await startNode();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await source.entry(pidOf(child))).toBeUndefined();
  });

  it('never takes a ps that fails for a process that is gone', async () => {
    const failure = Object.assign(new Error('ps: unknown option'), { code: 1, stderr: 'unknown option' });
    await expect(psSource(() => Promise.reject(failure)).entry(7)).rejects.toThrow('unknown option');
    await expect(
      runCommand(process.execPath, ['-e', 'console.error("why"); process.exit(1)']),
    ).rejects.toMatchObject({
      code: 1,
      stderr: 'why\n',
    });
  });
});

describe('Windows', () => {
  it('is read through PowerShell; a parent younger than its child is another’s number', async () => {
    const asked: string[] = [];
    const source = windowsSource(async (file, args) => {
      asked.push(`${file} ${args.at(-1)}`);
      return args.at(-1)?.includes('CommandLine')
        ? 'chrome.exe --headless\r\n'
        : '4 0 \r\n10 4 500\r\n11 10 600\r\n12 11 550\r\n';
    });
    expect(await source.all()).toEqual([
      { pid: 10, ppid: 4, startTime: '500', zombie: false },
      { pid: 11, ppid: 10, startTime: '600', zombie: false },
      { pid: 12, ppid: 0, startTime: '550', zombie: false },
    ]);
    expect((await source.entry(10))?.pid).toBe(10);
    expect(asked.at(-1)).toContain('-Filter "ProcessId=10"');
    expect(await source.commandLine(10)).toBe('chrome.exe --headless');
    expect(await source.namespace()).toBe('win32');
  });
});

describe('the memory of a tree of processes', () => {
  it('is that of the root and of all its descendants, without those that tell nothing', async () => {
    const table = [{ pid: 10 }, { pid: 11, ppid: 10 }, { pid: 12, ppid: 11 }, { pid: 13 }];
    const source = tableOf(table, {
      memory: async (pids) => new Map(pids.filter((pid) => pid !== 11).map((pid) => [pid, pid * 1000])),
    });
    expect(await treeMemory(10, source)).toEqual({ bytes: 22_000, processes: 2 });
    expect(await treeMemory(10, tableOf(table))).toBeUndefined();
    await expect(treeMemory(10, silentMachine)).rejects.toThrow('does not tell');
  });

  it('is measured on this machine', async () => {
    const { identity } = await startNode();
    const tree = await treeMemory(identity.pid);
    expect(tree?.processes).toBe(1);
    expect(tree?.bytes).toBeGreaterThan(5_000_000);
  });

  it('is proportional on Linux where the process may be looked into, else resident', async () => {
    const root = await mkdtemp(join(tmpdir(), 'proc-'));
    try {
      for (const pid of [7, 8, 9]) await mkdir(join(root, String(pid)));
      await writeFile(join(root, '7/smaps_rollup'), 'Rss:  900 kB\nPss:  300 kB\nPss_Dirty: 1 kB\n');
      await writeFile(join(root, '7/status'), 'VmRSS:\t  900 kB\n');
      await writeFile(join(root, '8/status'), 'Name:\tchrome\nVmRSS:\t  500 kB\n');
      const told = await procfsSource(root).memory([7, 8, 9]);
      expect(Object.fromEntries(told)).toEqual({ 7: 300 * 1024, 8: 500 * 1024 });
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('is asked for once for all of them where that starts a program', async () => {
    const asked: string[] = [];
    const print = (output: string) => async (file: string, args: readonly string[]) => {
      asked.push(`${file} ${args.join(' ')}`);
      return output;
    };
    const ofPs = await psSource(print('  501  13248\n  502    512\n')).memory([501, 502, 503]);
    expect(Object.fromEntries(ofPs)).toEqual({ 501: 13_248 * 1024, 502: 512 * 1024 });
    const ofWindows = await windowsSource(print('501 4096\r\n')).memory([501, 502]);
    expect(Object.fromEntries(ofWindows)).toEqual({ 501: 4096 });
    expect(asked).toHaveLength(2);
    expect(asked[0]).toContain('-p 501,502,503');
    expect(asked[1]).toContain('ProcessId=501 or ProcessId=502');
  });
});

describe('the source of a platform', () => {
  it.each(['linux', 'darwin', 'win32'] as const)('exists for %s', (platform) => {
    expect(Object.keys(processSourceOf(platform)).sort()).toEqual([
      'all',
      'commandLine',
      'entry',
      'memory',
      'namespace',
    ]);
  });
});
