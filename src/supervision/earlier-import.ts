import { type OldSession, placeOf } from '../profile/import/old-session.js';
import type { ImportMark } from '../snapshot/repository.js';
import type { SnapshotInfo } from '../types.js';
import { answered, askStores, failed } from './ask-stores.js';
import type { Importer } from './importer.js';
import { allRepositories, type SessionContext } from './session-context.js';
import { EMPTY_RECORD } from './session-record.js';
import type { LocatedSnapshot, SessionSnapshots } from './session-snapshots.js';

/** An old session that is not to be taken over. */
export interface TakenBefore {
  /** What was made of it, or else the newest there is; absent where the stores have none at all. */
  readonly snapshot: SnapshotInfo | undefined;
}

/**
 * Whether an old session was taken over before: a bot that has the call in its start must not go back to the old login
 * each time. What was taken over once never comes back by the same call; and while the bot has a login, nothing from the
 * place of an earlier import replaces it, whether it has changed since or not.
 */
export class EarlierImport {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #importer: Importer;
  #hasWarned = false;

  constructor(context: SessionContext, snapshots: SessionSnapshots, importer: Importer) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#importer = importer;
  }

  /**
   * Whether nothing is to be done; `undefined` where the session is to be taken over. The record must be loaded.
   *
   * @param contentOf reads the session through, and says what it holds; rejects where it is damaged or in use
   * @throws StoreError when the store of the saves can't say what was taken over
   */
  async find(session: OldSession, contentOf: () => Promise<string>): Promise<TakenBefore | undefined> {
    const located = await this.#snapshots.list();
    const marks = await this.#marks();
    const note = await this.#importer.noteOf(session);
    const ofPlace = marks.filter(({ place }) => place === placeOf(session));
    if ((ofPlace.length > 0 || note?.snapshot !== undefined) && (await this.#hasLogin())) {
      this.#tell(session);
      const lineages = ofPlace.map(({ lineage }) => lineage);
      return answer(located, ({ info }) => info.id === note?.snapshot || lineages.includes(info.lineage));
    }
    const imported = located.filter(({ info }) => info.run === 0);
    if (marks.length === 0 && imported.length === 0) return undefined;
    const content = note?.content ?? (await contentOf());
    const lineages = marks.filter((mark) => mark.content === content).map(({ lineage }) => lineage);
    for (const copy of imported)
      if ((await contentOfCopy(copy)) === content) lineages.push(copy.info.lineage);
    if (lineages.length === 0) return undefined;
    this.#tell(session);
    return answer(located, ({ info }) => lineages.includes(info.lineage));
  }

  // Of a store of backups that does not answer, the others know the same; so does the record, where stores were lost.
  async #marks(): Promise<readonly ImportMark[]> {
    const { saves, record } = this.#context;
    const marks = (record.current.imported ?? []).flatMap((text) => parseMark(text) ?? []);
    const answers = await askStores(allRepositories(this.#context), (repository) => repository.imports());
    for (const { repository, error } of failed(answers)) if (repository === saves) throw error;
    return [...marks, ...answered(answers).flatMap(({ value }) => value)];
  }

  /** Whether a start would find a login: in the profile, or in a snapshot that is restored by itself. */
  async #hasLogin(): Promise<boolean> {
    const { record, folders } = this.#context;
    const isUnknown = JSON.stringify(record.current) === JSON.stringify(EMPTY_RECORD); // lost, with its folder
    if ((record.current.loggedIn || isUnknown) && !(await folders.presence.isEmpty())) return true;
    return (await this.#snapshots.candidates(undefined)).length > 0;
  }

  #tell({ path }: OldSession): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#context.warn(
      'import-skipped',
      `the old session at ${path} was taken over before, and is not taken over again. Remove the call of ` +
        'importSession(); with { force: true } it replaces the login that is here',
    );
  }
}

/** Of the snapshots that fit, the one that was made of the old session, else the newest; else the newest of all. */
function answer(
  newestFirst: readonly LocatedSnapshot[],
  fits: (located: LocatedSnapshot) => boolean,
): TakenBefore {
  const fitting = newestFirst.filter(fits);
  const own = fitting.find(({ info }) => info.run === 0);
  return { snapshot: (own ?? fitting[0] ?? newestFirst[0])?.info };
}

/** As the session's record keeps it: `<lineage>/<place>.<content>`. */
function parseMark(text: string): ImportMark | undefined {
  const [, lineage, place, content] = /^([^/]+)\/([0-9a-f]{16})\.([0-9a-f]{64})$/.exec(text) ?? [];
  if (lineage === undefined || place === undefined || content === undefined) return undefined;
  return { lineage, place, content };
}

async function contentOfCopy({ info, repository }: LocatedSnapshot): Promise<string | undefined> {
  const manifest = await repository.manifest(info.id).catch(() => undefined);
  return manifest?.contentDigest;
}
