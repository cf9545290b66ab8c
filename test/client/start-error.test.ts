import { describe, expect, it } from 'vitest';
import type { PuppeteerOptions } from '../../src/client/client-types.js';
import { isDisplaySet } from '../../src/client/launch-obstacles.js';
import { obstacleOf, summaryOf } from '../../src/client/start-error.js';
import { ProfileLockedError, TimeoutError } from '../../src/errors.js';

/** As puppeteer 24.38 words it. */
const notLaunched = (why: string, stderr = '') =>
  new Error(
    `Failed to launch the browser process:  ${why}\n\nstderr:\n${stderr}\n\nTROUBLESHOOTING: https://pptr.dev/troubleshooting\n`,
  );
const errno = (code: string, message = `${code}: mkdir '/data/auth'`) =>
  Object.assign(new Error(message), { code });
const thrownBy = (code: () => unknown): unknown => {
  try {
    return code();
  } catch (error) {
    return error;
  }
};
const undefinedThing = undefined as unknown as { launch(): void };

const LASTING: readonly (readonly [string, unknown, RegExp])[] = [
  [
    'the configured browser is missing',
    new Error('Browser was not found at the configured executablePath (/usr/bin/google-chrome)'),
    /no browser.*executablePath/,
  ],
  [
    "puppeteer's own browser is missing",
    new Error(
      'Could not find Chrome (ver. 146.0.7680.31). This can occur if either\n 1. you did not perform an installation',
    ),
    /no browser/,
  ],
  [
    'a channel is missing',
    new Error(
      "Could not find Google Chrome executable for channel 'stable' at:\n - /opt/google/chrome/chrome.",
    ),
    /no browser/,
  ],
  ['the browser went away before it was started', notLaunched('spawn /opt/chrome ENOENT'), /no browser/],
  ['it may not be executed', notLaunched('spawn /opt/chrome EACCES'), /not be executed.*chmod/],
  [
    'it is for another processor',
    notLaunched('Code: 126', '/bin/sh: /opt/chrome: cannot execute binary file: Exec format error'),
    /none for this machine/,
  ],
  [
    'a shared library is missing',
    notLaunched(
      'Code: 127',
      '/opt/chrome: error while loading shared libraries: libnss3.so: cannot open shared object file: No such file or directory',
    ),
    /shared library.*apt-get/,
  ],
  [
    'it wants its sandbox',
    notLaunched(
      'Code: 1',
      'ERROR:zygote_host_impl_linux.cc:103] Running as root without --no-sandbox is not supported.',
    ),
    /--no-sandbox/,
  ],
  [
    'a stub stands for the browser',
    notLaunched(
      'Code: 1',
      "\nCommand '/usr/bin/chromium-browser' requires the chromium snap to be installed.\nPlease install it with:\n\nsnap install chromium\n",
    ),
    /only a stub.*puppeteer browsers install.*executablePath/,
  ],
  [
    'the browser is a snap, and this is no session of a user',
    notLaunched('Code: 1', '/system.slice/bot.service is not a snap cgroup for tag snap.chromium.chromium'),
    /snap.*puppeteer browsers install/,
  ],
  [
    "a script stands for a browser that isn't there",
    notLaunched('Code: 127', '/opt/chrome: 3: exec: /opt/real/chrome: not found'),
    /no browser/,
  ],
  [
    'a script stands for a browser that may not be executed',
    notLaunched('Code: 126', '/opt/chrome: 3: exec: /opt/real/chrome: Permission denied'),
    /not be executed.*noexec/,
  ],
  ...(
    [
      ['spawn /opt/chrome ENOENT', /no browser/],
      ['spawn /opt/chrome EACCES', /not be executed/],
      ['\n/opt/chrome: 3: exec: /opt/real/chrome: not found', /no browser/],
      ['\n/opt/chrome: 3: exec: /opt/real/chrome: Permission denied', /not be executed/],
    ] as const
  ).map(
    ([why, told]) =>
      [
        `in the words of puppeteer 18: ${why.trim()}`,
        new Error(`Failed to launch the browser process! ${why}\n\n\nTROUBLESHOOTING: x\n`),
        told,
      ] as const,
  ),
  [
    'it is for Intel, and the container is for ARM',
    notLaunched(
      'Code: 255',
      "qemu-x86_64: Could not open '/lib64/ld-linux-x86-64.so.2': No such file or directory",
    ),
    /none for this machine/,
  ],
  [
    'the same on a Mac',
    notLaunched('Code: 133', 'rosetta error: failed to open elf at /lib64/ld-linux-x86-64.so.2'),
    /none for this machine/,
  ],
  [
    'it is for Intel, and the Mac has no Rosetta',
    notLaunched('spawn Unknown system error -86'),
    /none for this machine/,
  ],
  [
    'it is for glibc, and this is Alpine',
    notLaunched('Code: 127', 'Error loading shared library libnss3.so: No such file or directory'),
    /shared library/,
  ],
  [
    'it is for glibc, and this is Alpine with a compatibility layer',
    notLaunched('Code: 127', 'Error relocating /opt/chrome: __res_nclose: symbol not found'),
    /shared library/,
  ],
  [
    'the container lets no sandbox be made',
    notLaunched(
      'Code: null',
      'Failed to move to new namespace: PID namespaces supported, Network namespace supported, but failed: errno = Operation not permitted',
    ),
    /--no-sandbox/,
  ],
  [
    'the helper of the sandbox has the wrong owner',
    notLaunched(
      'Code: null',
      "The SUID sandbox helper binary was found, but is not configured correctly. Rather than run without sandboxing I'm aborting now.",
    ),
    /--no-sandbox/,
  ],
  [
    'a strict web cache lacks the page',
    new Error("Couldn't load version 2.3000.1 from the cache"),
    /not in the web cache.*strict: false/,
  ],
  [
    'a remote web cache has no address',
    new Error('webVersionCache.remotePath is required when using the remote cache'),
    /webVersionCache.*remotePath/,
  ],
  [
    'a web cache is of no known type',
    new Error('Invalid WebCache type redis'),
    /'local', 'remote' or 'none'/,
  ],
  [
    'it has no old headless mode any more',
    notLaunched(
      'Code: 1',
      'Old Headless mode has been removed from the Chrome binary. Please use the new Headless mode',
    ),
    /old headless mode.*headless: true/,
  ],
  ['the folder belongs to another user', errno('EACCES'), /EACCES.*right to read and write/],
  ['the disk is read-only', errno('EROFS'), /EROFS/],
  ['a file stands where a folder should', errno('ENOTDIR'), /ENOTDIR/],
  [
    'a module is missing',
    errno('ERR_MODULE_NOT_FOUND', "Cannot find package 'puppeteer'"),
    /module is missing/,
  ],
  ['the code fails', thrownBy(() => undefinedThing.launch()), /before it starts the browser.*bundle/],
  [
    'a name is missing in the code',
    new ReferenceError('require is not defined'),
    /before it starts the browser/,
  ],
  [
    'an option of puppeteer is none',
    Object.assign(new TypeError('The "file" argument must be of type string'), {
      code: 'ERR_INVALID_ARG_TYPE',
    }),
    /option of the client/,
  ],
];

const PASSING: readonly (readonly [string, unknown])[] = [
  [
    'the machine has no process left',
    Object.assign(new Error('spawn /opt/chrome EAGAIN'), { code: 'EAGAIN' }),
  ],
  ['the machine has no process left, in words', notLaunched('spawn /opt/chrome EAGAIN')],
  ['the machine has no memory left', Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' })],
  ['the browser is being replaced', Object.assign(new Error('spawn ETXTBSY'), { code: 'ETXTBSY' })],
  ['too many files are open', Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })],
  ['the disk is full', errno('ENOSPC')],
  [
    'the browser is slow',
    new Error('Timed out after 30000 ms while waiting for the WS endpoint URL to appear in stdout!'),
  ],
  ['the browser was killed', notLaunched('Code: null')],
  ['the browser crashed', notLaunched('Code: 133', 'Trace/breakpoint trap')],
  [
    'the profile is still in use',
    new Error('The browser is already running for /data/auth. Use a different `userDataDir`'),
  ],
  ['the page gave no answer', 'auth timeout'],
  ['nothing was said', undefined],
  ['what was thrown has no text', Object.create(null)],
  ['a deadline of ours passed', new TimeoutError('no ready or a QR')],
  ['an error of ours says for itself', new ProfileLockedError('another browser')],
  ['fetch() met no network', Object.assign(new TypeError('fetch failed'), { cause: errno('ECONNREFUSED') })],
  [
    'the page fails in its own code',
    Object.assign(new Error("Cannot read properties of undefined (reading 'Socket')"), { name: 'TypeError' }),
  ],
];

describe('what trying again can not mend', () => {
  it.each(LASTING)('%s', (_name, error, told) => {
    const obstacle = obstacleOf({ error, launched: false, platform: 'linux' });
    expect(`${obstacle?.reason}: ${obstacle?.advice}`).toMatch(told);
  });
});

/** Of puppeteer 24 for a headful browser, of Chromium 156 (puppeteer 18 quotes it), of GTK, of Wayland. */
const NO_DISPLAY = [
  'Missing X server to start the headful browser. Either set headless to true or use xvfb-run to run your Puppeteer script.',
  'Failed to launch the browser process!\n[9:9:ERROR:ozone_platform_x11.cc(244)] Missing X server or $DISPLAY\n',
  'Failed to launch the browser process!  Gtk: cannot open display: ',
  'Failed to launch the browser process!  Failed to connect to Wayland display: No such file or directory (2)',
];

describe('a browser with a window and no display', () => {
  it.each(NO_DISPLAY)('is not tried again where none is set: %s', (message) => {
    const obstacle = obstacleOf({ error: new Error(message), launched: false, platform: 'linux' });
    expect(`${obstacle?.reason}: ${obstacle?.advice}`).toMatch(/no display.*headless: true.*xvfb-run/);
  });

  it.each(NO_DISPLAY)('is tried again where one is set: it may not be up yet: %s', (message) => {
    const error = new Error(message);
    expect(obstacleOf({ error, launched: false, platform: 'linux', hasDisplay: true })).toBeUndefined();
  });

  it.each<[string, PuppeteerOptions | undefined, Readonly<Record<string, string>>, boolean]>([
    ['not at all', undefined, {}, false],
    ['to nothing', undefined, { DISPLAY: '' }, false],
    ['by the environment', undefined, { DISPLAY: ':99' }, true],
    ['by the environment, for Wayland', {}, { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['by the environment of the browser', { env: { DISPLAY: ':99' } }, {}, true],
    ["not by the environment, which isn't the browser's", { env: { HOME: '/' } }, { DISPLAY: ':99' }, false],
    ['by an argument', { args: ['--no-sandbox', '--display=:99'] }, {}, true],
  ])('is set %s', (_name, puppeteer, env, expected) => {
    expect(isDisplaySet(puppeteer, env)).toBe(expected);
  });
});

describe('what may pass', () => {
  it.each(PASSING)('%s', (_name, error) => {
    expect(obstacleOf({ error, launched: false, platform: 'linux' })).toBeUndefined();
  });

  it('an error of the code once a browser is there: it may come of one that went away', () => {
    const error = thrownBy(() => undefinedThing.launch());
    expect(obstacleOf({ error, launched: true })).toBeUndefined();
  });

  it('a bundler that has changed the code is told in any case', () => {
    const error = new Error('Evaluation failed: ReferenceError: __name is not defined');
    expect(obstacleOf({ error, launched: true })?.reason).toContain('bundler');
  });

  it('a file that a virus scanner holds on Windows', () => {
    expect(obstacleOf({ error: errno('EPERM'), launched: false, platform: 'win32' })).toBeUndefined();
    expect(obstacleOf({ error: errno('ENOTDIR'), launched: false, platform: 'win32' })).toBeDefined();
  });
});

describe('the summary of a failed start', () => {
  it('tells what the browser wrote last, on one line', () => {
    const { message } = summaryOf(
      notLaunched(
        'Code: 127',
        'one\ntwo\nthree\n/opt/chrome: error while loading shared libraries: libnss3.so\n',
      ),
    );
    expect(message).toBe(
      'Failed to launch the browser process: Code: 127: two | three | /opt/chrome: error while loading shared libraries: libnss3.so',
    );
  });

  const DBUS =
    '[41:58:0730/101112.123456:ERROR:dbus/bus.cc:408] Failed to connect to the bus: Failed to connect to socket /run/dbus/system_bus_socket: No such file or directory';
  const SHM =
    "[41:41:0730/101112.345678:FATAL:base/memory/platform_shared_memory_region_posix.cc:219] This is frequently caused by incorrect permissions on /dev/shm. Try 'sudo chmod 1777 /dev/shm' to fix.";
  const LOUD = `${'[1:2:VERBOSE1:x.cc(1)] a line of the log\n'.repeat(4000)}`;

  it('ends with what the browser wrote last, which is never cut off', () => {
    const { message } = summaryOf(notLaunched('Code: null', [DBUS, DBUS, SHM].join('\n')));
    expect(message).toMatch(
      /^Failed to launch the browser process: Code: null: .*chmod 1777 \/dev\/shm' to fix\.$/,
    );
    const first = `${'y'.repeat(190)} one`;
    const two = summaryOf(notLaunched('Code: null', `${first}\n${'z'.repeat(190)} two`)).message;
    expect(two).toMatch(/^Failed to launch.*: z+ two$/);
    expect(two).not.toContain('one');
    const long = summaryOf(notLaunched('Code: null', `begin ${'z'.repeat(5000)} end`)).message;
    expect(long).toMatch(/: begin z+…z+ end$/);
    expect(long.length).toBeLessThanOrEqual(401);
  });

  it('leaves out what Chrome writes on any server, unless there is nothing else', () => {
    expect(summaryOf(notLaunched('Code: 1', `why\n${DBUS}\n${DBUS}`)).message).toMatch(/Code: 1: why$/);
    expect(summaryOf(notLaunched('Code: 1', DBUS)).message).toMatch(/system_bus_socket/);
  });

  it('finds the last lines of a log of any length, and so does the advice', () => {
    const error = notLaunched(
      'Code: 127',
      `${LOUD}/opt/chrome: error while loading shared libraries: libnss3.so: cannot open shared object file`,
    );
    expect(summaryOf(error).message).toContain('libnss3.so');
    expect(obstacleOf({ error, launched: false })?.reason).toBe('the browser lacks a shared library');
  });

  it('finds them in the words of puppeteer 18, too', () => {
    const error = new Error(
      `Failed to launch the browser process! \n${LOUD}the reason\n\n\nTROUBLESHOOTING: x\n`,
    );
    expect(summaryOf(error).message).toBe('Failed to launch the browser process!: the reason');
  });

  it('has the words of an event of a socket, of which puppeteer makes no error', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
    expect(summaryOf({ error, message: error.message, type: 'error' }).message).toBe(error.message);
    expect(summaryOf(new AggregateError([error], '')).message).toBe(error.message);
  });

  it('is bounded, also of a text of megabytes', () => {
    expect(summaryOf(new Error('x'.repeat(5_000_000))).message.length).toBeLessThanOrEqual(401);
    expect(summaryOf(notLaunched('Code: 1', 'a:b@'.repeat(500_000))).message.length).toBeLessThanOrEqual(401);
  });

  it.each([
    'net::ERR_TUNNEL at http://bot:pa55word@proxy.example:8080/',
    'bad argument --proxy-server=bot:pa55word@proxy.example:8080',
    'proxy "bot:pa55word@10.0.0.1:3128" refused',
  ])('holds no credentials: %s', (text) => {
    const { message } = summaryOf(new Error(text));
    expect(message).not.toContain('pa55word');
    expect(message).toContain('***@');
  });

  it('keeps the code of the system, and says something of what has no text', () => {
    expect(summaryOf(errno('EACCES'))).toEqual({ code: 'EACCES', message: "EACCES: mkdir '/data/auth'" });
    expect(summaryOf('auth timeout')).toEqual({ code: 'INTERNAL', message: 'auth timeout' });
    expect(summaryOf(new Error(''))).toEqual({ code: 'INTERNAL', message: 'no message' });
    expect(summaryOf(Object.create(null)).message).not.toBe('');
  });
});
