import { type OldSession, placeOf } from '../../profile/import/old-session.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SnapshotInfo } from '../../types.js';
import { answered, askStores } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import { contentOf, type SessionSnapshots } from '../context/session-snapshots.js';
import { importsIn, onlyImports } from '../record/import-marks.js';
import { importOf, isSameContent } from '../record/lineage.js';
import { EMPTY_RECORD } from '../record/session-record.js';
import { clientIdOf } from './former-owner-of.js';
import type { Importer } from './importer.js';

const SKIPPED =
  'is not imported again. Remove the call of importSession(), or call it with { force: true } to replace the current login';

/** Whoever uses the id under which the session lies may have another account by now. */
const isAnothers = (clientId: string) =>
  `has changed since: it is what the client id '${clientId}' uses now, maybe of another account, and is not imported. Remove the ` +
  'call of importSession(), or call it with { force: true } if it is the login of this bot';

/** An old session that was imported before. */
export interface TakenBefore {
  /** The snapshot made from it, or else the newest one; absent when the stores have none. */
  readonly snapshot: SnapshotInfo | undefined;
}

export interface EarlierImportParts {
  readonly snapshots: SessionSnapshots;
  readonly importer: Importer;
}

/**
 * Tells whether an old session was imported before. A bot may call the import at every start, and must not return to
 * the old login each time.
 * A session that was imported once is never imported again by the same call. While the bot has a login, nothing from
 * the place of an earlier import replaces it, changed or not. Without a login, what has changed there is imported, unless it is
 * another client id's by now.
 */
export class EarlierImport {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;
  readonly #importer: Importer;
  #hasWarned = false;

  constructor(context: SessionContext, { snapshots, importer }: EarlierImportParts) {
    this.#context = context;
    this.#snapshots = snapshots;
    this.#importer = importer;
  }

  /**
   * Returns the earlier import, or `undefined` when the session should be imported. The record must be loaded.
   *
   * @param readContent reads the whole session and returns its content digest; rejects when it is damaged or in use
   * @throws StoreError when no store answers
   */
  async find(session: OldSession, readContent: () => Promise<string>): Promise<TakenBefore | undefined> {
    this.#snapshots.lookAgain();
    const located = await this.#snapshots.list();
    const marked = await this.#marked(located);
    const note = await this.#importer.noteOf(session);
    const place = placeOf(session);
    const ofPlace = marked.filter((lineage) => importOf(lineage)?.place === place);
    if ((ofPlace.length > 0 || note?.snapshot !== undefined) && (await this.#hasLogin())) {
      this.#tell(session.path);
      return answer(located, ({ info }) => info.id === note?.snapshot || ofPlace.includes(info.lineage));
    }
    const imported = located.filter(({ info }) => info.run === 0);
    const isKnownPlace = ofPlace.length > 0 || note?.snapshot !== undefined;
    if (marked.length === 0 && imported.length === 0 && !isKnownPlace) return undefined;
    const content = note?.content ?? (await readContent());
    const lineages = marked.filter((lineage) => isOfContent(lineage, content));
    for (const copy of imported) if ((await contentOf(copy)) === content) lineages.push(copy.info.lineage);
    if (lineages.length > 0) {
      this.#tell(session.path);
      return answer(located, ({ info }) => lineages.includes(info.lineage));
    }
    if (!isKnownPlace || note?.taken === content) return undefined;
    const other = await clientIdOf(this.#context, session);
    if (other === undefined || other === this.#context.clientId) return undefined;
    this.#tell(session.path, isAnothers(other));
    return answer(located, ({ info }) => info.id === note?.snapshot || ofPlace.includes(info.lineage));
  }

  /**
   * Like {@link find}, for places where nothing exists any more. Returns `undefined` when nothing from there was
   * imported. The record must be loaded.
   *
   * @throws StoreError when no store answers
   */
  async findGone(places: readonly OldSession[]): Promise<TakenBefore | undefined> {
    this.#snapshots.lookAgain();
    const located = await this.#snapshots.list();
    const hashes = places.map(placeOf);
    const ofPlaces = (await this.#marked(located)).filter((lineage) =>
      hashes.includes(importOf(lineage)?.place ?? ''),
    );
    const notes = await Promise.all(places.map((place) => this.#importer.noteOf(place)));
    const noted = notes.flatMap((note) => note?.snapshot ?? []);
    const isKnown = ofPlaces.length > 0 || (noted.length > 0 && (await this.#hasLogin()));
    if (!isKnown) return undefined;
    this.#tell(places[0]?.path, 'is not there any more. Remove the call of importSession()');
    return answer(located, ({ info }) => noted.includes(info.id) || ofPlaces.includes(info.lineage));
  }

  /** Every known lineage that began with an import. */
  async #marked(located: readonly LocatedSnapshot[]): Promise<readonly string[]> {
    const asking = askStores(allRepositories(this.#context), async (repository) => [
      ...(await repository.revokedLineages()),
      ...(await repository.heldLineages()), // includes those whose last snapshot is gone
    ]);
    const marked = answered(await asking).flatMap(({ value }) => value);
    const snapshots = located.map(({ info }) => info);
    return onlyImports([...importsIn(this.#context.record.current, snapshots), ...marked]);
  }

  /** Whether a start would find a login: in the profile, or in a snapshot that is restored automatically. */
  async #hasLogin(): Promise<boolean> {
    const { record, folders } = this.#context;
    const isUnknown = JSON.stringify(record.current) === JSON.stringify(EMPTY_RECORD); // lost with its folder
    if ((record.current.loggedIn || isUnknown) && !(await folders.presence.isEmpty())) return true;
    return (await this.#snapshots.candidates(undefined)).length > 0;
  }

  #tell(path: string | undefined, what = SKIPPED): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#context.warn('import-skipped', `the old session at ${path} was already imported, and ${what}`);
  }
}

/**
 * Of the matching snapshots, picks the one made by the import, or else the newest. Without a match, picks the newest
 * of all.
 */
function answer(
  newestFirst: readonly LocatedSnapshot[],
  fits: (located: LocatedSnapshot) => boolean,
): TakenBefore {
  const fitting = newestFirst.filter(fits);
  const own = fitting.find(({ info }) => info.run === 0);
  return { snapshot: (own ?? fitting[0] ?? newestFirst[0])?.info };
}

function isOfContent(lineage: string, content: string): boolean {
  const mark = importOf(lineage);
  return mark !== undefined && isSameContent(mark, content);
}
