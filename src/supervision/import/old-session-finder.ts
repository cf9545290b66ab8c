import { isAbsolute, join, resolve } from 'node:path';
import { ConfigurationError, errnoOf, isSessionError, StoreError } from '../../errors.js';
import { isDenied } from '../../file-system.js';
import { DEFAULT_OPTIONS } from '../../options.js';
import {
  type DeniedListener,
  type DeniedSession,
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
    try {
      return await this.#sessionAt(path, await kindOfOldSession(path, { fs }));
    } catch (error) {
      // It may have been imported before it was closed to this user.
      if (isDenied(error)) return this.#nothing(path, denied(path, error));
      throw isSessionError(error) ? error : unreadable(path, error);
    }
  }

  async #sessionAt(
    path: string,
    kind: Awaited<ReturnType<typeof kindOfOldSession>>,
  ): Promise<OldSession | NothingFound> {
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
   *
   * @param onDenied called for each of them, and for each folder of them, that this user may not read
   */
  async known(onDenied: DeniedListener = () => undefined): Promise<readonly OldSession[]> {
    const { fs, clientId, options } = this.#context;
    const found: OldSession[] = [];
    const root = options.sessionPath;
    const ofRoot = clientId === DEFAULT_OPTIONS.clientId ? clientId : undefined;
    const told = (denied: DeniedSession) => {
      if (denied.clientId === undefined || denied.clientId === clientId) onDenied(denied);
    };
    const unlessDenied = <Result>(path: string, look: Promise<Result>, id?: string) =>
      look.catch((error: unknown) => {
        if (!isDenied(error)) throw error;
        told({ path, clientId: id, error });
        return undefined;
      });
    if ((await unlessDenied(root, kindOfOldSession(root, { fs }))) === 'profile') {
      found.push({ kind: 'profile', path: root, clientId: ofRoot });
    }
    for (const folder of new Set([root, this.#authFolder])) {
      const listing = listOldSessions(folder, { fs, onDenied: told });
      found.push(...((await unlessDenied(folder, listing)) ?? []));
    }
    const ours: OldSession[] = [];
    for (const session of found) {
      const mayBeOurs = session.clientId === undefined || session.clientId === clientId;
      if (!mayBeOurs || (await this.#isOwn(session.path))) continue;
      const { path, clientId: id } = session;
      if (await unlessDenied(path, mayHoldLogin(session, { fs }), id)) ours.push(session);
    }
    return ours;
  }

  async #theOneIn(folder: string): Promise<OldSession | NothingFound> {
    const { fs, clientId } = this.#context;
    const all: OldSession[] = [];
    const closed: DeniedSession[] = [];
    for (const session of await listOldSessions(folder, { fs, onDenied: (one) => closed.push(one) })) {
      if (!(await this.#isOwn(session.path))) all.push(session);
    }
    const named = all.filter((session) => session.clientId === clientId);
    // A bot that has never chosen a client id did not use one earlier either.
    const isUnnamed = this.#isUnnamed && named.length === 0;
    const fitting = isUnnamed ? all.filter((session) => session.clientId === undefined) : named;
    const [one] = fitting;
    if (one !== undefined && fitting.length === 1) return one;
    const hidden = closed.find((session) => session.clientId === clientId) ?? closed[0];
    if (hidden !== undefined && (all.length === 0 || hidden.clientId === clientId)) {
      return this.#nothing(folder, denied(hidden.path, hidden.error));
    }
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
}

function sessionAt(path: string): OldSession {
  return { kind: path.endsWith('.zip') ? 'zip' : 'profile', path };
}

/** The default `dataPath` of LocalAuth and RemoteAuth. */
export function defaultAuthFolder(): string {
  return join(process.cwd(), '.wwebjs_auth');
}

function wrong(problem: string, cause?: unknown): ConfigurationError {
  const details = { operation: 'importSession', ...(cause !== undefined && { cause }) };
  return new ConfigurationError(`from: ${problem}`, details);
}

/** The error for what is there and may not be read: it must not look like nothing. */
function denied(path: string, error: unknown): ConfigurationError {
  return wrong(inWordsDenied(path, errnoOf(error)), error);
}

function unreadable(path: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const operation = 'importSession';
  return new StoreError(`from: '${path}' can't be read (${errno})`, { operation, cause: error });
}

/** What to do about an old session that this user may not read. */
export function inWordsDenied(path: string, errno = 'EACCES'): string {
  return `'${path}' can't be read (${errno}): give the user that this bot runs as the right to read it, and all in it (chown -R)`;
}
