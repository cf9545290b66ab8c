import { isAbsolute, join, resolve } from 'node:path';
import { ConfigurationError, errnoOf } from '../../errors.js';
import { DEFAULT_OPTIONS } from '../../options.js';
import {
  kindOfOldSession,
  listOldSessions,
  mayHoldLogin,
  namesOf,
  type OldSession,
} from '../../profile/import/old-session.js';
import { resolveLinks } from '../../profile/links.js';
import type { SessionContext } from '../context/session-context.js';

/** The result when a person names a path where no old session exists. */
export interface NothingFound {
  /** The error to throw, unless a session from there was imported before. */
  readonly problem: ConfigurationError;
  /** Where the session would have been. */
  readonly places: readonly OldSession[];
}

/** Finds old sessions of other systems: at a path that a person names, and in the usual places. */
export class OldSessionFinder {
  readonly #context: SessionContext;
  readonly #authFolder: string;
  readonly #isUnnamed: boolean;

  /**
   * @param places `authFolder`: where LocalAuth and RemoteAuth of this bot keep their sessions. `isUnnamed`: whether
   * nobody has chosen a client id
   */
  constructor(context: SessionContext, places: { readonly authFolder: string; readonly isUnnamed: boolean }) {
    this.#context = context;
    this.#authFolder = places.authFolder;
    this.#isUnnamed = places.isUnnamed;
  }

  /**
   * Finds the old session for `from`: a profile, a zip, or a folder with exactly one session that fits the client id.
   *
   * @throws ConfigurationError that says what was found, when the path holds something other than one fitting session
   */
  async find(from: string): Promise<OldSession | NothingFound> {
    if (typeof from !== 'string' || from.trim() === '') {
      throw wrong(`${JSON.stringify(from) ?? String(from)} is no path; expected that of an old session`);
    }
    const { fs } = this.#context;
    const path = isAbsolute(from) ? resolve(from) : resolve(process.cwd(), from);
    const kind = await kindOfOldSession(path, { fs });
    if (kind === undefined) return this.#nothing(path, wrong(`there is nothing at '${path}'`));
    if (kind === 'folder') return this.#theOneIn(path);
    if (await this.#isOwn(path)) {
      throw wrong(
        `'${path}' is the profile that this client uses already, and nothing has to be moved: call initialize()`,
      );
    }
    return { kind, path };
  }

  /**
   * The sessions in the usual places that may be this bot's: with its client id, or with none in the name. A profile
   * in the root of `sessionPath`, where the older system kept its only one, counts as having that system's client id.
   */
  async known(): Promise<readonly OldSession[]> {
    const { fs, clientId, options } = this.#context;
    const found: OldSession[] = [];
    const root = options.sessionPath;
    const ofRoot = clientId === DEFAULT_OPTIONS.clientId ? clientId : undefined;
    if ((await this.#unlessDenied(() => kindOfOldSession(root, { fs }))) === 'profile') {
      found.push({ kind: 'profile', path: root, clientId: ofRoot });
    }
    for (const folder of new Set([root, this.#authFolder])) {
      found.push(...((await this.#unlessDenied(() => listOldSessions(folder, { fs }))) ?? []));
    }
    const ours: OldSession[] = [];
    for (const session of found) {
      const mayBeOurs = session.clientId === undefined || session.clientId === clientId;
      if (!mayBeOurs || (await this.#isOwn(session.path))) continue;
      if (await this.#unlessDenied(() => mayHoldLogin(session, { fs }))) ours.push(session);
    }
    return ours;
  }

  async #theOneIn(folder: string): Promise<OldSession | NothingFound> {
    const { fs, clientId } = this.#context;
    const all: OldSession[] = [];
    for (const session of await listOldSessions(folder, { fs })) {
      if (!(await this.#isOwn(session.path))) all.push(session);
    }
    const named = all.filter((session) => session.clientId === clientId);
    // A bot that has never chosen a client id did not use one earlier either.
    const isUnnamed = this.#isUnnamed && named.length === 0;
    const fitting = isUnnamed ? all.filter((session) => session.clientId === undefined) : named;
    const [one] = fitting;
    if (one !== undefined && fitting.length === 1) return one;
    const list = all.map(({ path }) => `'${path}'`).join(', ');
    if (all.length === 0) {
      const problem = wrong(
        `there is no old session in '${folder}'; expected a user-data-dir (a folder with 'Default' in it), ` +
          'a zip of one, or the folder that holds one',
      );
      return this.#nothing(folder, problem);
    }
    const isNone = fitting.length === 0;
    const count = isNone ? `no session in '${folder}' is` : `several sessions in '${folder}' are`;
    const problem = wrong(`${count} of the client id '${clientId}'; name the one to take: ${list}`);
    if (isNone) return this.#nothing(folder, problem);
    throw problem;
  }

  /** The result for a path that may have been a session, or the folder of one. */
  #nothing(path: string, problem: ConfigurationError): NothingFound {
    const { clientId } = this.#context;
    const names = [...namesOf(clientId), ...(this.#isUnnamed ? namesOf(undefined) : [])];
    return { problem, places: [path, ...names.map((name) => join(path, name))].map(sessionAt) };
  }

  async #isOwn(path: string): Promise<boolean> {
    const { fs, profileDir } = this.#context;
    return (await resolveLinks(fs, path)) === (await resolveLinks(fs, profileDir));
  }

  // A folder that we may not read is treated as missing, since it may belong to others.
  async #unlessDenied<Result>(look: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await look();
    } catch (error) {
      if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM') return undefined;
      throw error;
    }
  }
}

function sessionAt(path: string): OldSession {
  return { kind: path.endsWith('.zip') ? 'zip' : 'profile', path };
}

/** The default `dataPath` of LocalAuth and RemoteAuth. */
export function defaultAuthFolder(): string {
  return join(process.cwd(), '.wwebjs_auth');
}

function wrong(problem: string): ConfigurationError {
  return new ConfigurationError(`from: ${problem}`, { operation: 'importSession' });
}
