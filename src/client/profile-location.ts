import { join, resolve } from 'node:path';
import { ConfigurationError } from '../errors.js';
import { assertReadable } from './assert-readable.js';
import type { AuthStrategy, ClientInternals, PuppeteerOptions, WhatsAppClient } from './client-types.js';
import { asChromiumReads, assertKeepsLogin } from './launch-arguments.js';

/**
 * Where the login of a client is stored.
 * - `local-auth`: LocalAuth decides the folder (and the client id, if it was given one)
 * - `given`: the user set `puppeteer.userDataDir`
 * - `none`: NoAuth without a folder; the library chooses one
 */
export type ProfileLocation =
  | {
      readonly kind: 'local-auth';
      readonly profileDir: string;
      /** LocalAuth's `dataPath`, absolute. */
      readonly authPath: string;
      readonly clientId?: string;
    }
  | { readonly kind: 'given'; readonly profileDir: string }
  | { readonly kind: 'none' };

/**
 * Finds the profile of `client` without reading the disk.
 *
 * @throws ConfigurationError when it is no client, uses RemoteAuth, or connects to a browser that it did not start
 */
export function locateProfile(client: WhatsAppClient): ProfileLocation {
  assertClient(client);
  const { authStrategy, options } = client as ClientInternals;
  const puppeteer = options?.puppeteer ?? {};
  assertReadable(puppeteer);
  for (const option of ['browserWSEndpoint', 'browserURL'] as const) {
    if (puppeteer[option] !== undefined) {
      throw new ConfigurationError(
        `client: puppeteer.${option} is set, but the profile of a browser that another program started can't be ` +
          `saved or restored. Remove it, and let the client start its own browser.`,
      );
    }
  }
  if (authStrategy && isRemoteAuth(authStrategy)) {
    throw new ConfigurationError(
      'client: its authStrategy is RemoteAuth, which deletes and overwrites the profile on its own. ' +
        'Use `new LocalAuth({ clientId })` (or no authStrategy) instead: PersistentSession does the saving.',
    );
  }
  const given = chosenFolder(puppeteer);
  if (authStrategy && isLocalAuth(authStrategy)) {
    const { clientId } = authStrategy;
    const folder = clientId ? `session-${clientId}` : 'session';
    const authPath = resolve(authStrategy.dataPath);
    const profileDir = join(authPath, folder);
    assertKeepsLogin(puppeteer, profileDir);
    assertNoOtherFolder(puppeteer.userDataDir, profileDir);
    const place = { kind: 'local-auth', authPath, profileDir } as const;
    return clientId ? { ...place, clientId } : place;
  }
  assertKeepsLogin(puppeteer);
  return given === undefined
    ? { kind: 'none' }
    : { kind: 'given', profileDir: asChromiumReads(resolve(given)) };
}

/**
 * Whether the browser was launched in the folder that was found at the beginning: a strategy of the bot's own may choose
 * another one only at the launch, and nothing of that would ever be saved.
 *
 * @param realPath of a folder, links resolved
 * @throws ConfigurationError
 */
export async function assertLaunchedIn(
  { options }: ClientInternals,
  profileDir: string,
  realPath: (folder: string) => Promise<string>,
): Promise<void> {
  const launchedIn = chosenFolder(options?.puppeteer ?? {});
  if (launchedIn !== undefined) {
    const folder = asChromiumReads(resolve(launchedIn));
    if (folder === profileDir || (await realPath(folder)) === (await realPath(profileDir))) return;
  }
  const where = launchedIn === undefined ? 'a temporary folder' : JSON.stringify(launchedIn);
  throw new ConfigurationError(
    `client: its authStrategy launches the browser in ${where}, and the session keeps ${profileDir}: what is in the other ` +
      'folder would never be saved. Remove the authStrategy and set puppeteer.userDataDir to that folder when the Client ' +
      'is made, or use `new LocalAuth({ clientId, dataPath })`.',
  );
}

/** Gives a NoAuth client a profile folder; whatsapp-web.js reads it when it launches the browser. */
export function assignProfile(client: WhatsAppClient, profileDir: string): void {
  const internals = client as ClientInternals;
  internals.options ??= {};
  internals.options.puppeteer = { ...internals.options.puppeteer, userDataDir: profileDir };
}

// LocalAuth itself refuses another folder only at the launch, and again at every retry.
function assertNoOtherFolder(given: string | undefined, profileDir: string): void {
  if (given === undefined || given === profileDir) return;
  throw new ConfigurationError(
    `client: puppeteer.userDataDir is ${JSON.stringify(given)}, and its LocalAuth keeps the profile in ${profileDir}. ` +
      'Remove the option, or the LocalAuth.',
  );
}

const METHODS = ['initialize', 'destroy', 'logout', 'getState', 'sendMessage', 'emit', 'on'] as const;

function assertClient(client: unknown): asserts client is WhatsAppClient {
  const missing =
    typeof client === 'object' && client !== null
      ? METHODS.filter((name) => typeof (client as Record<string, unknown>)[name] !== 'function')
      : METHODS;
  if (missing.length > 0) {
    throw new ConfigurationError(
      `client: expected a Client of whatsapp-web.js (an object with ${METHODS.join(', ')}), ` +
        `but ${describe(client)} has no ${missing.join(', ')}`,
    );
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object'
    ? `an object of type ${value.constructor?.name ?? 'Object'}`
    : typeof value;
}

// Recognized by a class name in the prototype chain, which forks and subclasses keep, or by its members, because bundlers
// rename classes.
function isRemoteAuth(strategy: AuthStrategy): boolean {
  return hasAncestor(strategy, 'RemoteAuth') || ('store' in strategy && 'backupSyncIntervalMs' in strategy);
}

function isLocalAuth(strategy: AuthStrategy): strategy is AuthStrategy & { readonly dataPath: string } {
  if (typeof strategy.dataPath !== 'string') return false;
  return hasAncestor(strategy, 'LocalAuth') || ('rmMaxRetries' in strategy && !('store' in strategy));
}

function hasAncestor(value: object, className: string): boolean {
  let prototype: unknown = Object.getPrototypeOf(value);
  for (let depth = 0; depth < 20 && typeof prototype === 'object' && prototype !== null; depth++) {
    if (prototype.constructor?.name === className) return true;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}

function chosenFolder({ userDataDir, args }: PuppeteerOptions): string | undefined {
  return userDataDir ?? userDataDirArgument(args);
}

function userDataDirArgument(args: readonly string[] | undefined): string | undefined {
  const prefix = '--user-data-dir=';
  const argument = args?.findLast((one) => one.startsWith(prefix));
  return argument === undefined ? undefined : asChromiumReads(argument).slice(prefix.length);
}
