import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { ConfigurationError } from '../errors.js';
import { pathBelow, slashed } from '../profile-identity.js';
import * as check from './checks.js';
import { DEFAULT_OPTIONS } from './defaults.js';

/** Where a LocalAuth keeps its profiles when it is given no `dataPath` (whatsapp-web.js, LocalAuth.js). */
const LOCAL_AUTH_DEFAULT = '.wwebjs_auth';
/** Of a derived id: enough of the path's end for a person to know it again. */
const MAX_READABLE = 48;

/** What the client itself says about whose session it is. */
export interface ClientIdSource {
  /** The `clientId` of its LocalAuth. */
  readonly strategyClientId?: string | undefined;
  /** The folder that its LocalAuth, or its `userDataDir`, keeps the profile in; absolute. */
  readonly authPath?: string | undefined;
  /** The working directory. */
  readonly cwd: string;
}

/**
 * The id of the session: the one that was chosen (LocalAuth's, or the option), else one derived from the folder that was
 * chosen for the login, else the default.
 *
 * @throws ConfigurationError when an id is malformed, or the option contradicts LocalAuth's
 */
export function resolveClientId(given: string | undefined, source: ClientIdSource): string {
  const { strategyClientId: own, authPath, cwd } = source;
  if (own !== undefined) check.clientId(own, 'clientId of the LocalAuth');
  if (given !== undefined) {
    check.clientId(given, 'clientId');
    if (own === undefined || own === given) return given;
    throw new ConfigurationError(
      `clientId: '${given}' is not that of the client's LocalAuth; expected '${own}', or leave it out`,
    );
  }
  if (own !== undefined) return own;
  return isOwnFolder(authPath, cwd) ? derivedClientId(authPath, cwd) : DEFAULT_OPTIONS.clientId;
}

/** A bot that chose a folder for its login, and no id, is told from its neighbours by that folder. */
function isOwnFolder(authPath: string | undefined, cwd: string): authPath is string {
  return authPath !== undefined && authPath !== resolve(cwd, LOCAL_AUTH_DEFAULT);
}

/** Readable end of the path and a hash of all of it; the same after the bot's folder was moved as a whole. */
function derivedClientId(authPath: string, cwd: string): string {
  const place = pathBelow(cwd, authPath) ?? slashed(authPath);
  const readable = place
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(-MAX_READABLE)
    .replace(/^-+|-+$/g, '');
  const hash = createHash('sha256').update(place).digest('hex').slice(0, 8);
  return `${readable || 'session'}-${hash}`;
}
