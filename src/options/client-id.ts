import { createHash } from 'node:crypto';
import { ConfigurationError } from '../errors.js';
import { pathBelow, slashed } from '../profile-identity.js';
import * as check from './checks.js';
import { DEFAULT_OPTIONS } from './defaults.js';

/** Where a LocalAuth keeps its profiles when it is given no `dataPath` (whatsapp-web.js, LocalAuth.js). */
const LOCAL_AUTH_DEFAULT = '.wwebjs_auth';
/** Length of the readable part of a derived id: enough of the path's end for a person to recognise it. */
const MAX_READABLE = 48;

/** Facts from the client itself about the owner of the session. */
export interface ClientIdSource {
  /** The `clientId` of its LocalAuth. */
  readonly strategyClientId?: string | undefined;
  /** The folder that its LocalAuth, or its `userDataDir`, keeps the profile in; absolute. */
  readonly authPath?: string | undefined;
  /** Folders that move together with the bot; the first one that contains `authPath` counts. */
  readonly bases: readonly string[];
}

/**
 * The id of the session. The first of these counts: the clientId of the LocalAuth or of the option, an id derived
 * from the folder that was chosen for the login, the default.
 *
 * @throws ConfigurationError when an id is malformed, or the option contradicts LocalAuth's
 */
export function resolveClientId(given: string | undefined, source: ClientIdSource): string {
  const { strategyClientId: own, authPath, bases } = source;
  if (own !== undefined) check.clientId(own, 'clientId of the LocalAuth');
  if (given !== undefined) {
    check.clientId(given, 'clientId');
    if (own === undefined || own === given) return given;
    throw new ConfigurationError(
      `clientId: '${given}' is not that of the client's LocalAuth; expected '${own}', or leave it out`,
    );
  }
  if (own !== undefined) return own;
  if (authPath === undefined) return DEFAULT_OPTIONS.clientId;
  const places = bases.flatMap((base) => pathBelow(base, authPath) ?? []);
  if (places.includes(LOCAL_AUTH_DEFAULT)) return DEFAULT_OPTIONS.clientId;
  // A bot that chose a folder for its login, but no id, is distinguished from other bots by that folder.
  return derivedClientId(places[0] ?? slashed(authPath));
}

/**
 * The readable end of the path and a hash of the whole path; it stays the same when the bot's folder is moved as a
 * whole.
 */
function derivedClientId(place: string): string {
  const readable = place
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(-MAX_READABLE)
    .replace(/^-+|-+$/g, '');
  const hash = createHash('sha256').update(place).digest('hex').slice(0, 8);
  return `${readable || 'session'}-${hash}`;
}
