import { resolve } from 'node:path';
import { ConfigurationError } from '../errors.js';
import type { PuppeteerOptions } from './client-types.js';

/** A switch by Chromium's rules: it begins with one or two dashes, and on Windows also with a slash. */
const SWITCH = /^(?:--?|\/)([^=]+)(?:=(.*))?$/s;

/** Chromium ignores white space around an argument (base/command_line.cc): `--a, --b` split at the comma are two switches. */
const BLANKS_AROUND = /^[\t-\r ]+|[\t-\r ]+$/g;

/** Switches that store the login elsewhere or not at all; measured with Chromium 149 and 156 (docs/profile.md). */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['incognito', 'keeps nothing: the login would be lost with every restart'],
  ['guest', 'keeps nothing: the login would be lost with every restart'],
  ['disable-local-storage', 'takes away localStorage, which holds half of the login'],
]);

/** The features that make Chromium keep one half of the login in SQLite, in another folder. */
export const SQLITE_FEATURES = {
  indexedDb: 'IdbSqliteBackingStore',
  localStorage: 'DomStorageSqlite',
} as const;

/** The argument without the white space that Chromium ignores. */
export function asChromiumReads(argument: string): string {
  return argument.replace(BLANKS_AROUND, '');
}

/**
 * Refuses options that would store the login outside the profile that is saved.
 *
 * @param profileDir the profile, if the client's strategy has chosen it; absent if only these options can choose it
 * @throws ConfigurationError that names the option or the argument
 */
export function assertKeepsLogin(options: PuppeteerOptions, profileDir?: string): void {
  for (const name of ['browser', 'product'] as const) {
    if (options[name] !== undefined && options[name] !== 'chrome') {
      refuse(`${name}: ${JSON.stringify(options[name])}`, 'is not supported: it must be "chrome"');
    }
  }
  for (const argument of options.args ?? []) {
    const [, name = '', value = ''] = SWITCH.exec(asChromiumReads(argument)) ?? [];
    const why = REFUSED.get(name);
    if (why !== undefined) refuse(`args: ${JSON.stringify(argument)}`, why);
    if (name === 'profile-directory' && value !== '' && value !== 'Default') {
      refuse(
        `args: ${JSON.stringify(argument)}`,
        'keeps the login in a folder that is not saved: it must be "Default"',
      );
    }
    if (name === 'user-data-dir') assertIsProfile(argument, value, profileDir);
  }
  assertProfileIsTold(options);
}

/** Whether the arguments switch a feature on or off; `undefined` if neither. If both, off wins, as in Chromium. */
export function isFeatureOn(args: readonly string[] | undefined, feature: string): boolean | undefined {
  const isNamed = (list: string) =>
    (args ?? []).some((argument) => {
      const [, name, value = ''] = SWITCH.exec(asChromiumReads(argument)) ?? [];
      return name === list && value.split(',').some((entry) => entry.split(/[<:]/, 1)[0]?.trim() === feature);
    });
  if (isNamed('disable-features')) return false;
  return isNamed('enable-features') ? true : undefined;
}

function assertIsProfile(argument: string, value: string, profileDir: string | undefined): void {
  // puppeteer only recognizes the switch if it begins with two dashes; otherwise it uses a temporary folder.
  if (!argument.startsWith('--')) {
    refuse(
      `args: ${JSON.stringify(argument)}`,
      'is not seen by puppeteer: write two dashes, and no blank in front',
    );
  }
  if (profileDir !== undefined && resolve(value) !== profileDir) {
    refuse(
      `args: ${JSON.stringify(argument)}`,
      `contradicts the folder of the client's LocalAuth, which is ${profileDir}`,
    );
  }
}

/** If puppeteer's argument for the profile is removed, the browser uses a temporary folder unless `args` name the profile. */
function assertProfileIsTold({ ignoreDefaultArgs, args = [] }: PuppeteerOptions): void {
  if (args.some((argument) => argument.startsWith('--user-data-dir='))) return;
  const isTakenAway = Array.isArray(ignoreDefaultArgs)
    ? ignoreDefaultArgs.some((argument) => String(argument).startsWith('--user-data-dir'))
    : ignoreDefaultArgs === true;
  if (!isTakenAway) return;
  refuse(
    `ignoreDefaultArgs: ${JSON.stringify(ignoreDefaultArgs)}`,
    'takes away --user-data-dir, so that the login is kept in a temporary folder: name only those arguments that you ' +
      'do not want, and not this one',
  );
}

function refuse(what: string, why: string): never {
  throw new ConfigurationError(`client: puppeteer.${what} ${why}`);
}
