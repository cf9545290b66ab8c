import { dirname } from 'node:path';
import { errnoOf, StoreError } from '../../errors.js';
import { type FileSystem, makeFolders } from '../../file-system.js';
import { Mutex } from '../../mutex.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import { isMissing } from '../../profile/walk.js';
import { assertOwnRecord, type RecordOwner } from './record-owner.js';
import {
  EMPTY_RECORD,
  hasLogin,
  lineagesIn,
  parseRecord,
  type RecordChange,
  type SessionRecord,
} from './session-record.js';

/** What is noted outside the record, in case that is lost or can't be written. */
export interface RecordNotes {
  /** The lineages that have ended since the record was last written. */
  readonly ended?: () => Promise<readonly string[]>;
  /** When `clear()` was last called, ISO 8601. */
  readonly clearedAt?: () => Promise<string | undefined>;
}

export interface SessionRecordParameters {
  /** Tells the file's path, which depends on whether the profile is a mount point. */
  readonly path: () => Promise<string>;
  readonly fs: FileSystem;
  /** Tells which session uses the record. Default: records do not say whose they are. */
  readonly owner?: () => Promise<RecordOwner>;
  /** Tells whether the record of another place has come here by a copy, without its profile. Default: none has. */
  readonly isCopied?: (record: SessionRecord, here: string) => Promise<boolean>;
  /** Default: nothing is noted elsewhere. */
  readonly notes?: RecordNotes;
  /** The wall clock, ms since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** The record's file. It is read once and always written as a whole, by one write at a time. */
export class SessionRecordFile {
  readonly #path: SessionRecordParameters['path'];
  readonly #fs: FileSystem;
  readonly #writing = new Mutex();
  readonly #notes: RecordNotes;
  readonly #owner: SessionRecordParameters['owner'];
  readonly #isCopied: NonNullable<SessionRecordParameters['isCopied']>;
  /** The session that uses the record; known once it was loaded. */
  #user: RecordOwner | undefined;
  /** Why the record, which belongs to another session, must not be used. */
  #refusal: unknown;
  #current: SessionRecord = EMPTY_RECORD;
  readonly #now: () => number;

  constructor({
    path,
    fs,
    owner,
    isCopied = async () => false,
    notes = {},
    now = Date.now,
  }: SessionRecordParameters) {
    this.#path = path;
    this.#now = now;
    this.#fs = fs;
    this.#owner = owner;
    this.#isCopied = isCopied;
    this.#notes = notes;
  }

  get current(): SessionRecord {
    return this.#current;
  }

  /**
   * Reads the file. A missing or damaged file gives an empty record, because the stores know the rest.
   *
   * @throws ConfigurationError when the login in the profile belongs to another client id
   */
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
    await this.#assertOurs();
    const clearedAt = await this.#notes.clearedAt?.();
    if (clearedAt !== undefined && clearedAt > (this.#current.inPlaceSince ?? '')) {
      this.#apply({ inPlaceSince: clearedAt });
    }
    // A store that was away during the clear() is told at this start.
    if (clearedAt !== undefined && clearedAt > (this.#current.placeLogin?.since ?? '')) {
      this.#apply({ placeLogin: { since: clearedAt } });
    }
    const ended = (await this.#notes.ended?.()) ?? [];
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

  /** Like {@link update}, but writes nothing when the record's folder was deleted, so that it is not recreated. */
  async updateInPlace(change: RecordChange): Promise<void> {
    this.#apply(change);
    try {
      await this.#writing.runExclusive(async () => this.#writeInto(await this.#path()));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Deletes the record, for `clear()`. */
  async remove(): Promise<void> {
    this.#current = EMPTY_RECORD;
    await this.#writing.runExclusive(async () => this.#fs.promises.rm(await this.#path(), { force: true }));
  }

  // Nothing of another session's record stays in memory, and nothing is written over it.
  async #assertOurs(): Promise<void> {
    this.#user = await this.#owner?.();
    const { owner } = this.#current;
    this.#refusal = undefined;
    if (owner === undefined || this.#user === undefined) return;
    try {
      assertOwnRecord(owner, this.#user);
    } catch (error) {
      this.#refusal = error;
      this.#current = EMPTY_RECORD;
      throw error;
    }
    if (await this.#isCopied(this.#current, this.#user.path)) {
      this.#current = EMPTY_RECORD;
      // Now: soon there may be a profile here, which a record of another place must not be taken to describe.
      await this.#writing.runExclusive(() => this.#write()).catch(() => undefined);
      return;
    }
    if (owner.clientId !== this.#user.clientId) this.#noteFormer(owner);
    else if (owner.path !== this.#user.path) this.#apply({ cameFrom: owner.path });
    this.#current = { ...this.#current, owner: this.#user };
  }

  // Kept until the stores know it; it is written with the next change. The login has come to this place now, so it is later
  // than all that the stores of this id know, and its own copies lie under the former id.
  #noteFormer({ clientId, path }: RecordOwner): void {
    const { formerOwners = [], lineage } = this.#current;
    const former = { clientId, path, lineages: lineagesIn(this.#current) };
    const placeLogin = this.#placeLoginNow(lineage);
    this.#apply({
      formerOwners: [...formerOwners, former],
      basedOn: undefined,
      placeLogin,
      inPlaceSince: placeLogin?.since,
    });
  }

  #apply(change: RecordChange): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    const merged: Record<string, unknown> = { ...this.#current, ...change };
    if (!('placeLogin' in change) && merged.lineage !== this.#current.lineage) {
      merged.placeLogin = this.#placeLoginNow(change.lineage);
    }
    if (hasLogin(merged)) merged.owner ??= this.#user;
    for (const field of Object.keys(merged)) if (merged[field] === undefined) delete merged[field];
    this.#current = parseRecord(JSON.stringify(merged));
  }

  /**
   * Later than what was noted before, even when the clock was set back. The end of a login is only just later than its
   * beginning: a store that is away may know of another login that came after it.
   */
  #placeLoginNow(lineage: string | undefined): SessionRecord['placeLogin'] {
    const before = Date.parse(this.#current.placeLogin?.since ?? '');
    const isEnd = lineage === undefined && this.#current.placeLogin?.lineage !== undefined;
    const time = isEnd ? before + 1 : Math.max(this.#now(), before + 1);
    return {
      since: new Date(Number.isNaN(time) ? this.#now() : time).toISOString(),
      ...(lineage !== undefined && { lineage }),
    };
  }

  async #write(): Promise<void> {
    const path = await this.#path();
    await makeFolders(this.#fs, dirname(path));
    await this.#writeInto(path);
  }

  #writeInto(path: string): Promise<void> {
    return writeOwnFile(this.#fs, path, `${JSON.stringify(this.#current, null, 2)}\n`);
  }
}
