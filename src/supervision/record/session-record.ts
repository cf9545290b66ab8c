import { dirname } from 'node:path';
import { errnoOf, StoreError } from '../../errors.js';
import { type FileSystem, PRIVATE_FOLDER_MODE } from '../../file-system.js';
import { Mutex } from '../../mutex.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import { isMissing } from '../../profile/walk.js';

/**
 * What this machine remembers of the session, in a small file beside the profile. It holds no credential; without
 * it (a redeploy without a volume) everything needed is in the manifests of the snapshots.
 */
export interface SessionRecord {
  readonly format: 1;
  /** The pairing that the profile in place belongs to; absent until the first `ready`. */
  readonly lineage?: string;
  /** The pairing before, until WhatsApp has accepted the profile that somebody has put in its place. */
  readonly formerLineage?: string;
  /** How many runs of this lineage reached `ready`. */
  readonly run: number;
  /** A salted mark of the account. */
  readonly account?: string;
  /** The script of the bot that was ready with it last, where only that tells two bots of a folder apart. */
  readonly startedBy?: string;
  /** The browser that has opened the profile in place last, for example `Chrome/156.0.8078.79`. */
  readonly browserVersion?: string;
  /** An older copy is in place of the profile only to be tried; what it has replaced is in quarantine since then. */
  readonly trial?: { readonly since: string; readonly before: RecordBasis };
  /** Whether the profile in place was logged in when it was last seen. */
  readonly loggedIn: boolean;
  /** The snapshot that the profile was restored from in this run, or the last one saved from it. */
  readonly basedOn?: string;
  /** A snapshot that was just being put in place of the profile: after a kill either of the two may be there. */
  readonly restoring?: string;
  /** Pairings that the phone or the server logged out. Also marked in the stores; kept here for those that were down. */
  readonly revokedLineages: readonly string[];
  /** Snapshots that were restored and still met a QR: not restored again by themselves. */
  readonly rejectedSnapshots: readonly string[];
  /** Pairings whose newest snapshots were all rejected. */
  readonly rejectedLineages: readonly string[];
  /** Pairings whose profile was removed while they were in use. Also marked in the stores, as above. */
  readonly heldLineages?: readonly string[];
  /** Pairings that began with an import; their names tell of what, see lineage.ts. */
  readonly imported?: readonly string[];
}

/** What the record says of the profile in place. */
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

/** The snapshot that the profile in place was restored from, where that met a QR: then it holds nothing of its own. */
export function rejectedCopyInPlace({ basedOn, rejectedSnapshots }: SessionRecord): string | undefined {
  return basedOn !== undefined && rejectedSnapshots.includes(basedOn) ? basedOn : undefined;
}

/** The pairings that have ended: logged out, no longer accepted, or removed. */
export function endedLineages({
  revokedLineages,
  rejectedLineages,
  heldLineages = [],
}: SessionRecord): readonly string[] {
  return [...revokedLineages, ...rejectedLineages, ...heldLineages];
}

/** `undefined` removes a field. */
export type RecordChange = { [Field in keyof SessionRecord]?: SessionRecord[Field] | undefined };

/** Bound of the lists above: the oldest are forgotten. */
const MAX_REMEMBERED = 200;

/** The record's file: read once, written whole, one write after the other. */
export class SessionRecordFile {
  readonly #path: () => Promise<string>;
  readonly #fs: FileSystem;
  readonly #writing = new Mutex();
  /** Pairings that ended since the record was last written. */
  readonly #endedSince: () => Promise<readonly string[]>;
  #current: SessionRecord = EMPTY_RECORD;

  constructor(
    path: () => Promise<string>,
    fs: FileSystem,
    endedSince: () => Promise<readonly string[]> = async () => [],
  ) {
    this.#path = path;
    this.#fs = fs;
    this.#endedSince = endedSince;
  }

  get current(): SessionRecord {
    return this.#current;
  }

  /** Reads the file. A missing or damaged one is an empty record: the stores know the rest. */
  async load(): Promise<SessionRecord> {
    const path = await this.#path();
    try {
      const text = await readOwnFile(this.#fs, path);
      this.#current = text === undefined ? EMPTY_RECORD : parseRecord(text);
    } catch (error) {
      const code = errnoOf(error);
      if (code !== undefined) {
        throw new StoreError(`the session's record can't be read (${code}): ${path}`, { cause: error });
      }
      this.#current = EMPTY_RECORD;
    }
    const ended = await this.#endedSince();
    if (ended.length > 0) {
      const { revokedLineages } = this.#current;
      const others = revokedLineages.filter((lineage) => !ended.includes(lineage));
      this.#apply({ loggedIn: false, revokedLineages: [...others, ...ended] });
    }
    return this.#current;
  }

  /** Changes some fields and writes the record. `undefined` removes a field. */
  async update(change: RecordChange): Promise<void> {
    this.#apply(change);
    await this.#writing.runExclusive(() => this.#write());
  }

  /** The same, but where the record's folder is gone, nothing is written: it was deleted, and stays so. */
  async updateInPlace(change: RecordChange): Promise<void> {
    this.#apply(change);
    try {
      await this.#writing.runExclusive(async () => this.#writeInto(await this.#path()));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Forgets everything (`clear()`). */
  async remove(): Promise<void> {
    this.#current = EMPTY_RECORD;
    await this.#writing.runExclusive(async () => this.#fs.promises.rm(await this.#path(), { force: true }));
  }

  #apply(change: RecordChange): void {
    const merged: Record<string, unknown> = { ...this.#current, ...change };
    for (const field of Object.keys(merged)) if (merged[field] === undefined) delete merged[field];
    this.#current = parseRecord(JSON.stringify(merged));
  }

  async #write(): Promise<void> {
    const path = await this.#path();
    await this.#fs.promises.mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    await this.#writeInto(path);
  }

  #writeInto(path: string): Promise<void> {
    return writeOwnFile(this.#fs, path, `${JSON.stringify(this.#current, null, 2)}\n`);
  }
}

function parseRecord(text: string): SessionRecord {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return EMPTY_RECORD;
  const raw = value as Record<string, unknown>;
  return {
    format: 1,
    ...basisIn(raw),
    ...optionalText(raw, 'startedBy'),
    ...optionalText(raw, 'restoring'),
    ...optionalText(raw, 'formerLineage'),
    ...trialIn(raw.trial),
    revokedLineages: texts(raw.revokedLineages),
    rejectedSnapshots: texts(raw.rejectedSnapshots),
    rejectedLineages: texts(raw.rejectedLineages),
    ...(texts(raw.imported).length > 0 && { imported: texts(raw.imported) }),
    ...(texts(raw.heldLineages).length > 0 && { heldLineages: texts(raw.heldLineages) }),
  };
}

/** The part of a record that speaks of the profile in place. */
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
