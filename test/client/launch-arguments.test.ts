import { describe, expect, it } from 'vitest';
import { assertKeepsLogin, isFeatureOn } from '../../src/client/launch-arguments.js';

const PROFILE = '/bot/auth/session-shop';
const code = (run: () => void): unknown => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('arguments and options by which the login is not kept in the profile', () => {
  it.each([
    [{ args: ['--no-sandbox', '--incognito'] }, '--incognito'],
    [{ args: ['-incognito'] }, '-incognito'],
    [{ args: ['--incognito=false'] }, '--incognito=false'],
    [{ args: ['--guest'] }, '--guest'],
    [{ args: ['--disable-local-storage'] }, '--disable-local-storage'],
    [{ args: ['--profile-directory=Profile 1'] }, '--profile-directory=Profile 1'],
    [{ args: ['-profile-directory=Profile 1'] }, '-profile-directory=Profile 1'],
    [{ args: ['--user-data-dir=/elsewhere'] }, '--user-data-dir=/elsewhere'],
    [{ args: [`-user-data-dir=${PROFILE}`] }, '-user-data-dir'],
    // Chromium takes no notice of blanks around an argument: `CHROME_ARGS.split(',')` leaves them there.
    [{ args: ['--no-sandbox', ' --incognito'] }, ' --incognito'],
    [{ args: ['--incognito '] }, '--incognito '],
    [{ args: ['\t--guest\n'] }, 'guest'],
    [{ args: [' --profile-directory=Work'] }, ' --profile-directory=Work'],
    [{ args: [` --user-data-dir=${PROFILE}`] }, 'no blank in front'],
    [{ args: ['--user-data-dir=/elsewhere '] }, '/elsewhere'],
    [{ ignoreDefaultArgs: true }, 'ignoreDefaultArgs: true'],
    [{ ignoreDefaultArgs: [`--user-data-dir=${PROFILE}`] }, 'ignoreDefaultArgs'],
    [{ browser: 'firefox' }, 'browser: "firefox"'],
    [{ product: 'firefox' }, 'product: "firefox"'],
  ])('%j: refused, and named', (options, named) => {
    const error = code(() => assertKeepsLogin(options, PROFILE));
    expect(error).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(named) });
  });

  it.each([
    {},
    { args: ['--no-sandbox', '--disable-gpu', '--lang=de', 'about:blank'] },
    { args: ['--profile-directory=Default'] },
    { args: ['--profile-directory='] },
    { args: [' --no-sandbox', '--profile-directory=Default '] },
    { args: [`--user-data-dir=${PROFILE} `] },
    { args: [`--user-data-dir=${PROFILE}`], ignoreDefaultArgs: true },
    { ignoreDefaultArgs: ['--enable-automation', '--disable-extensions'] },
    { ignoreDefaultArgs: false },
    { browser: 'chrome' },
    // Measured: they do nothing to the login.
    { args: ['--temp-profile', '--bwsi', '--disable-databases', '--app=about:blank', '--Incognito'] },
  ])('%j: taken', (options) => {
    expect(code(() => assertKeepsLogin(options, PROFILE))).toBeUndefined();
  });

  it('where only they say where the profile is, one folder is as good as another', () => {
    expect(code(() => assertKeepsLogin({ args: ['--user-data-dir=/elsewhere'] }))).toBeUndefined();
  });
});

describe('whether a feature is on', () => {
  it.each([
    [[], undefined],
    [['--enable-features=Other'], undefined],
    [['--enable-features=Other,Wanted'], true],
    [['--enable-features=Wanted:a/b'], true],
    [[' --enable-features=Other,Wanted\n'], true],
    [['--enable-features=Wanted', ' --disable-features=Wanted'], false],
    [['--enable-features=Wanted<Trial'], true],
    [['--enable-features=Wanted', '--enable-features=Other'], true],
    [['--enable-features=Wanted', '--disable-features=Wanted'], false],
    [['--disable-features=WantedNot'], undefined],
  ])('%j: %s', (args, isOn) => {
    expect(isFeatureOn(args, 'Wanted')).toBe(isOn);
  });
});
