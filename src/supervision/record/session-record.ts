import { type ProfileMark, profileMarkIn } from '../../profile/profile-mark.js';
import type { PlaceLogin } from '../../snapshot/repository.js';
import { type FormerOwner, formerOwnersIn, ownerIn, type RecordOwner } from './record-owner.js';

/**
 * What this machine remembers of the session, in a small file beside the profile. It holds no credential. Without it
 * (a redeploy without a volume), the snapshots' manifests have everything that is needed.
 */
export interface SessionRecord {
  readonly format: 1;
  /** Whose login this is. Absent until there is one, and in a record of an older version. */
  readonly owner?: RecordOwner;
  /** Whose it was before, under other client ids; see {@link FormerOwner}. */
  readonly formerOwners?: readonly FormerOwner[];
  /**
   * Path of the profile under this client id from which the whole of this one came. Kept until the first `ready` here, which
   * tells a copy from a bot that has moved.
   */
  readonly cameFrom?: string;
  /** The lineage (pairing) of the profile in place; absent until the first `ready`. */
  readonly lineage?: string;
  /** The lineage before the current one. Kept until WhatsApp has accepted the profile that somebody put in place. */
  readonly formerLineage?: string;
  /** What a person has put in place of another login. Kept until a login is ready, or comes back by itself. */
  readonly askedFor?: {
    /** Id of the snapshot that was put in place. */
    readonly restored: string;
    /** Path of the old session, for an import. */
    readonly from?: string;
    /** Path of the profile that was replaced, if no store has its login. */
    readonly quarantined?: string;
  };
  /**
   * A login that a person has put in place of one that may be of another account. Kept until a login is ready; see
   * login/rejected-restore.ts.
   */
  readonly requestedOver?: {
    /** Id of the snapshot. */
    readonly restored: string;
    /** Id of the newest snapshot of the login before it, and its lineage. */
    readonly before: string;
    readonly lineage: string;
    /** When WhatsApp rejected what was restored, ISO 8601. */
    readonly rejectedAt?: string | undefined;
  };
  /**
   * When the login in place, or else the last one, came here, ISO 8601. What another login has saved before is older, and
   * is not restored automatically. Absent for a login that was here before this field existed.
   */
  readonly inPlaceSince?: string;
  /**
   * Which login belongs to this place, and since when; see `PlaceLogin`. The stores note it, too, since this record may be
   * lost with its disk. Absent for a login that was here before this field existed.
   */
  readonly placeLogin?: Pick<PlaceLogin, 'lineage' | 'since'>;
  /** The profile's folder when it was last ready, which tells a profile that was renamed from one that was lost. */
  readonly profileMark?: ProfileMark;
  /** How many runs of this lineage reached `ready`. */
  readonly run: number;
  /** A salted mark of the account. */
  readonly account?: string;
  /**
   * The script of the bot that was ready with it last; set only where nothing else distinguishes two bots in one
   * folder.
   */
  readonly startedBy?: string;
  /** The browser that opened the profile in place last, for example `Chrome/156.0.8078.79`. */
  readonly browserVersion?: string;
  /**
   * Set while an older copy is in place only for a trial; the profile that it replaced has been in quarantine since
   * then.
   */
  readonly trial?: { readonly since: string; readonly before: RecordBasis };
  /** Whether the profile in place was logged in the last time it was checked. */
  readonly loggedIn: boolean;
  /** The snapshot from which the profile was restored in this run, or the last one saved from it. */
  readonly basedOn?: string;
  /** A snapshot that is being put in place of the profile. After a kill, either of the two may be in place. */
  readonly restoring?: string;
  /**
   * Lineages that the phone or the server logged out. The stores mark them, too; this list is for stores that were
   * down.
   */
  readonly revokedLineages: readonly string[];
  /** Snapshots that were restored and still led to a QR. They are not restored automatically again. */
  readonly rejectedSnapshots: readonly string[];
  /** Lineages whose newest snapshots were all rejected. */
  readonly rejectedLineages: readonly string[];
  /**
   * Lineages whose profile was removed while in use. The stores mark them, too; this list is for stores that were
   * down.
   */
  readonly heldLineages?: readonly string[];
  /** Lineages that another login has replaced at this place. The stores mark them, too. */
  readonly replacedLineages?: readonly string[];
  /** Lineages that began with an import. Their names tell what was imported, see lineage.ts. */
  readonly imported?: readonly string[];
}

/** The part of the record that describes the profile in place. */
export type RecordBasis = Pick<
  SessionRecord,
  'lineage' | 'run' | 'account' | 'loggedIn' | 'basedOn' | 'browserVersion'
>;

export const EMPTY_RECORD: SessionRecord = {
  format: 1,
  run: 0,
  loggedIn: false,
  revokedLineages: [],
  rejectedSnapshots: [],
  rejectedLineages: [],
};

/**
 * The snapshot from which the profile in place was restored, if it led to a QR. The profile then holds nothing of its
 * own.
 */
export function rejectedCopyInPlace({ basedOn, rejectedSnapshots }: SessionRecord): string | undefined {
  return basedOn !== undefined && rejectedSnapshots.includes(basedOn) ? basedOn : undefined;
}

/** The lineages that have ended: logged out, no longer accepted, removed, or replaced by another login. */
export function endedLineages({
  revokedLineages,
  rejectedLineages,
  heldLineages = [],
  replacedLineages = [],
}: SessionRecord): readonly string[] {
  return [...revokedLineages, ...rejectedLineages, ...heldLineages, ...replacedLineages];
}

/** Every lineage that the record names: those that are, or were, in the profile. */
export function lineagesIn(record: SessionRecord): readonly string[] {
  const { lineage = [], formerLineage = [] } = record;
  return [...new Set([lineage, formerLineage, endedLineages(record)].flat())];
}

/** `undefined` removes a field. */
export type RecordChange = { [Field in keyof SessionRecord]?: SessionRecord[Field] | undefined };

/** Limit for each of the lists above; the oldest entries are dropped. */
const MAX_REMEMBERED = 200;

/** Whether there is, or was, a login that the record tells of. */
export function hasLogin({ lineage, restoring, loggedIn }: Record<string, unknown>): boolean {
  return lineage !== undefined || restoring !== undefined || loggedIn === true;
}

/** @throws SyntaxError for a text that is no JSON */
export function parseRecord(text: string): SessionRecord {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return EMPTY_RECORD;
  const raw = value as Record<string, unknown>;
  const owner = ownerIn(raw.owner);
  const formerOwners = formerOwnersIn(raw.formerOwners);
  const mark = profileMarkIn(raw.profileMark);
  return {
    format: 1,
    ...(owner !== undefined && { owner }),
    ...(formerOwners.length > 0 && { formerOwners }),
    ...basisIn(raw),
    ...optionalText(raw, 'startedBy'),
    ...optionalText(raw, 'restoring'),
    ...optionalText(raw, 'cameFrom'),
    ...optionalText(raw, 'formerLineage'),
    ...optionalText(raw, 'inPlaceSince'),
    ...trialIn(raw.trial),
    ...placeLoginIn(raw.placeLogin),
    ...requestedOverIn(raw.requestedOver),
    ...askedForIn(raw.askedFor),
    ...(mark !== undefined && { profileMark: mark }),
    revokedLineages: texts(raw.revokedLineages),
    rejectedSnapshots: texts(raw.rejectedSnapshots),
    rejectedLineages: texts(raw.rejectedLineages),
    ...(texts(raw.imported).length > 0 && { imported: texts(raw.imported) }),
    ...(texts(raw.heldLineages).length > 0 && { heldLineages: texts(raw.heldLineages) }),
    ...(texts(raw.replacedLineages).length > 0 && { replacedLineages: texts(raw.replacedLineages) }),
  };
}

/** The part of a record that describes the profile in place. */
export function basisOf(record: SessionRecord): RecordBasis {
  return basisIn({ ...record });
}

function basisIn(raw: Record<string, unknown>): RecordBasis {
  return {
    ...optionalText(raw, 'lineage'),
    ...optionalText(raw, 'account'),
    ...optionalText(raw, 'basedOn'),
    ...optionalText(raw, 'browserVersion'),
    run: typeof raw.run === 'number' && Number.isSafeInteger(raw.run) && raw.run >= 0 ? raw.run : 0,
    loggedIn: raw.loggedIn === true,
  };
}

function trialIn(value: unknown): Pick<SessionRecord, 'trial'> {
  if (typeof value !== 'object' || value === null) return {};
  const { since, before } = value as Record<string, unknown>;
  if (typeof since !== 'string' || typeof before !== 'object' || before === null) return {};
  return { trial: { since, before: basisIn(before as Record<string, unknown>) } };
}

function placeLoginIn(value: unknown): Pick<SessionRecord, 'placeLogin'> {
  if (typeof value !== 'object' || value === null) return {};
  const { since, lineage } = value as Record<string, unknown>;
  if (typeof since !== 'string') return {};
  return { placeLogin: { since, ...(typeof lineage === 'string' && { lineage }) } };
}

function requestedOverIn(value: unknown): Pick<SessionRecord, 'requestedOver'> {
  if (typeof value !== 'object' || value === null) return {};
  const { restored, before, lineage, rejectedAt } = value as Record<string, unknown>;
  if (typeof restored !== 'string' || typeof before !== 'string' || typeof lineage !== 'string') return {};
  const rejected = typeof rejectedAt === 'string' && { rejectedAt };
  return { requestedOver: { restored, before, lineage, ...rejected } };
}

function askedForIn(value: unknown): Pick<SessionRecord, 'askedFor'> {
  if (typeof value !== 'object' || value === null) return {};
  const raw = value as Record<string, unknown>;
  const { restored } = raw;
  if (typeof restored !== 'string') return {};
  return { askedFor: { restored, ...optionalText(raw, 'from'), ...optionalText(raw, 'quarantined') } };
}

function optionalText<Name extends string>(
  raw: Record<string, unknown>,
  name: Name,
): { [Key in Name]?: string } {
  const value = raw[name];
  return (typeof value === 'string' && value.length > 0 ? { [name]: value } : {}) as {
    [Key in Name]?: string;
  };
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is string => typeof item === 'string').slice(-MAX_REMEMBERED);
}
