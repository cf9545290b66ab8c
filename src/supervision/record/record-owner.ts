import { ConfigurationError } from '../../errors.js';

/** The oldest ones are dropped. */
const MAX_FORMER_OWNERS = 20;

/** The session that a record, and so the login in the profile beside it, belongs to. */
export interface RecordOwner {
  readonly clientId: string;
  /** Whether the bot has chosen this id; otherwise it is the default one, or was derived from the profile's place. */
  readonly isChosen: boolean;
  /** Where the profile really lies. */
  readonly path: string;
}

/** A session that had the login in place before, under another client id. */
export interface FormerOwner {
  readonly clientId: string;
  /** Where its profile lay; absent if the login was imported, so that the old profile is expected to be there. */
  readonly path?: string;
  /** The logins of that profile. */
  readonly lineages: readonly string[];
  /** Whether the former profile was still there when this one was used: then this one is a copy, and not moved. */
  readonly isCopy?: boolean;
  /** When the login came here, ISO 8601: later than every copy of it under the former id that was known then. */
  readonly since?: string;
  /** The stores in which its copies under the former id are marked. */
  readonly heldIn?: readonly string[];
  /** Whether every store has the marks. */
  readonly isHeld?: boolean;
  /** When it was told last that the former id goes on using the login, ISO 8601. */
  readonly toldAt?: string;
}

/**
 * Refuses a profile whose login belongs to another client id. Two accounts would share one login: the second one would be
 * ready as the first. An id that nobody has chosen may be replaced by a chosen one, and a profile that lies at another
 * place by now was renamed together with its id.
 *
 * @throws ConfigurationError that names both ids, the profile and what to do
 */
export function assertOwnRecord(owner: RecordOwner, here: RecordOwner): void {
  if (owner.clientId === here.clientId || owner.path !== here.path || !owner.isChosen) return;
  throw new ConfigurationError(
    `clientId: the profile ${here.path} holds the login of '${owner.clientId}', so it is not used for '${here.clientId}'. ` +
      'Give each account a profile of its own: `new LocalAuth({ clientId })`, or a dataPath. If this is the same account under ' +
      `a new name, start '${here.clientId}' with a profile of its own, and call importSession('${here.path}') there.`,
  );
}

/** Reads the owner from a record's file; `undefined` for a record of an older version. */
export function ownerIn(value: unknown): RecordOwner | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { clientId, isChosen, path } = value as Record<string, unknown>;
  if (typeof clientId !== 'string' || clientId === '' || typeof path !== 'string') return undefined;
  return { clientId, isChosen: isChosen === true, path };
}

/** Reads the former owners from a record's file. */
export function formerOwnersIn(value: unknown): readonly FormerOwner[] {
  if (!Array.isArray(value)) return [];
  return value.slice(-MAX_FORMER_OWNERS).flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { clientId, path, lineages, isCopy, since, heldIn, isHeld, toldAt } = item as Record<
      string,
      unknown
    >;
    if (typeof clientId !== 'string' || clientId === '' || !Array.isArray(lineages)) return [];
    return [
      {
        clientId,
        ...(typeof path === 'string' && { path }),
        lineages: textsIn(lineages),
        ...(isCopy === true && { isCopy }),
        ...(isTime(since) && { since }),
        ...(Array.isArray(heldIn) && { heldIn: textsIn(heldIn) }),
        ...(isHeld === true && { isHeld }),
        ...(isTime(toldAt) && { toldAt }),
      },
    ];
  });
}

function textsIn(values: readonly unknown[]): readonly string[] {
  return values.filter((one): one is string => typeof one === 'string');
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
