import { describeError, errnoOf, isSessionError } from '../../errors.js';
import { type DeniedSession, type OldSession, placeOf } from '../../profile/import/old-session.js';
import { listQuarantine } from '../../profile/quarantine.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import { answered, askStores, failed } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { importsIn } from '../record/import-marks.js';
import { importOf } from '../record/lineage.js';
import type { Importer } from './importer.js';
import { inWordsDenied, type OldSessionFinder } from './old-session-finder.js';

/** Error codes that concern the old session, and not our own disk or stores. */
const OF_THE_SOURCE = new Set(['PROFILE_LOCKED', 'PROFILE_UNSOUND', 'SNAPSHOT_CORRUPT', 'SNAPSHOT_UNSAFE']);

/**
 * The automatic import at a first start. It needs exactly one old session with the same client id and no doubt,
 * because it must never take over another account's login. In case of doubt, a warning names the call for a manual
 * import.
 */
export class FirstImport {
  readonly #context: SessionContext;
  readonly #parts: {
    readonly finder: OldSessionFinder;
    readonly importer: Importer;
    readonly snapshots: SessionSnapshots;
  };
  /** The warning is given once, not again at each reconnect. */
  #hasWarned = false;
  /** Paths that may not be read, and that were already reported. */
  readonly #denied = new Set<string>();

  constructor(
    context: SessionContext,
    parts: {
      readonly finder: OldSessionFinder;
      readonly importer: Importer;
      readonly snapshots: SessionSnapshots;
    },
  ) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Call when there is no profile and nothing to restore, so that a QR is due. The lease must be held. */
  async run(signal: AbortSignal): Promise<LocatedSnapshot | undefined> {
    const found = await this.#offers();
    if (found.length === 0) return undefined;
    const sure = found.filter(({ clientId }) => clientId === this.#context.clientId);
    const doubt = await this.#doubt(sure);
    const [session] = sure;
    if (doubt !== undefined || session === undefined) {
      this.#warn(found, doubt ?? 'none of them is of this client id by its name');
      return undefined;
    }
    try {
      return await this.#parts.importer.take(session, signal);
    } catch (error) {
      if (!isOfTheSource(error)) throw error;
      this.#warn([session], describeError(error).message);
      return undefined;
    }
  }

  /** Call after a `clear()`: what it deleted must not return automatically. */
  async disableAutomaticImport(): Promise<void> {
    const { finder, importer } = this.#parts;
    for (const session of await finder.known()) {
      if (session.clientId !== undefined && !(await importer.isMarked(session))) await importer.mark(session);
    }
  }

  // A session without a client id that was already imported most likely belongs to another bot. What this bot has imported
  // before would be skipped by the call that the warning names.
  async #offers(): Promise<readonly OldSession[]> {
    const { finder, importer } = this.#parts;
    const offers: OldSession[] = [];
    const known = await finder.known((denied) => this.#tellDenied(denied));
    const before = known.length === 0 ? [] : await this.#importedPlaces();
    for (const session of known) {
      if (session.clientId === undefined && (await importer.isMarked(session))) continue;
      if (before.includes(placeOf(session))) continue;
      offers.push(session);
    }
    return offers;
  }

  /** The places of the imports that the record or a snapshot tells of. */
  async #importedPlaces(): Promise<readonly string[]> {
    const snapshots = (await this.#parts.snapshots.list()).map(({ info }) => info);
    const lineages = importsIn(this.#context.record.current, snapshots);
    return lineages.flatMap((lineage) => importOf(lineage)?.place ?? []);
  }

  /** Why none of them is imported; `undefined` when there is no doubt. */
  async #doubt(sure: readonly OldSession[]): Promise<string | undefined> {
    const { record, profileDir, fs } = this.#context;
    if (sure.length === 0)
      return 'its name does not tell the client id, so it may be the login of another bot';
    if (sure.length > 1) return 'there are several';
    for (const session of sure) {
      if (await this.#parts.importer.isMarked(session)) return 'it was moved, or given up by clear(), before';
    }
    const {
      lineage,
      revokedLineages,
      rejectedLineages,
      rejectedSnapshots,
      heldLineages = [],
    } = record.current;
    const past = [...revokedLineages, ...rejectedLineages, ...rejectedSnapshots, ...heldLineages];
    if (lineage !== undefined || past.length > 0) return 'this bot has had a login of its own';
    if ((await this.#parts.snapshots.list()).length > 0) return 'there are snapshots of this bot';
    const answers = await askStores(allRepositories(this.#context), async (repository) => ({
      revoked: await repository.revokedLineages(),
      held: await repository.heldLineages(),
    }));
    const [failure] = failed(answers);
    const markers = answered(answers).map(({ value }) => value);
    if (markers.some(({ revoked }) => revoked.size > 0)) return 'a login of this bot was logged out before';
    if (markers.some(({ held }) => held.size > 0)) return 'a login of this bot was removed before';
    if (failure !== undefined) throw failure.error;
    if ((await listQuarantine(profileDir, { fs })).length > 0)
      return 'a profile of this bot is in quarantine';
    return undefined;
  }

  /** Warns that an old session may exist but can't be read; otherwise the user would see only a QR. */
  #tellDenied({ path, error }: DeniedSession): void {
    if (this.#denied.has(path)) return;
    this.#denied.add(path);
    this.#context.warn(
      'import-available',
      `there may be an old session, but ${inWordsDenied(path, errnoOf(error))}. If it is this bot's, the next start ` +
        'imports it instead of showing a QR',
    );
  }

  #warn(found: readonly OldSession[], why: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const calls = found.map(({ path }) => `session.importSession(${JSON.stringify(path)})`).join(' or ');
    this.#context.warn(
      'import-available',
      `an old session was found and not imported automatically: ${why}. If it is this bot's, stop the old bot, then ` +
        `call ${calls}`,
    );
  }
}

function isOfTheSource(error: unknown): boolean {
  if (isSessionError(error)) return OF_THE_SOURCE.has(error.code);
  return errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM';
}
