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

/** A person points to where nothing is that could be taken over. */
export interface NothingFound {
  /** What was found instead; to be thrown, unless what was there was taken over before. */
  readonly problem: ConfigurationError;
  /** Where it would lie. */
  readonly places: readonly OldSession[];
}

/** Finds what other systems have left: where a person points to, and at the places where they are known to keep it. */
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
   * What a person means by `from`: a profile, a zip, or the folder that holds exactly one that fits the client id.
   *
   * @throws ConfigurationError that says what was found, where that is no doubt about what is missing
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
   * What lies at the known places and may be this bot's: with its client id, or with none in the name. The root of
   * `sessionPath`, where the older system kept its only profile, counts as of the client id that system had.
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
    // Who has never chosen a client id has used none before either.
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

  /** Of a path that may have been a session, or the folder that held one. */
  #nothing(path: string, problem: ConfigurationError): NothingFound {
    const { clientId } = this.#context;
    const names = [...namesOf(clientId), ...(this.#isUnnamed ? namesOf(undefined) : [])];
    return { problem, places: [path, ...names.map((name) => join(path, name))].map(sessionAt) };
  }

  async #isOwn(path: string): Promise<boolean> {
    const { fs, profileDir } = this.#context;
    return (await resolveLinks(fs, path)) === (await resolveLinks(fs, profileDir));
  }

  // Of others' folders nothing is promised: one that may not be read is as good as none.
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

/** LocalAuth's and RemoteAuth's `dataPath`, where nobody gave another. */
export function defaultAuthFolder(): string {
  return join(process.cwd(), '.wwebjs_auth');
}

function wrong(problem: string): ConfigurationError {
  return new ConfigurationError(`from: ${problem}`, { operation: 'importSession' });
}
