import { describe, expect, it } from 'vitest';
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
  ['the X server is not there yet', new Error('Missing X server to start the headful browser.')],
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
