import type { LineageHold, SnapshotRepository } from '../../snapshot/repository.js';
import { answered, askStores, StorePatience } from '../context/ask-stores.js';
import { allRepositories, type SessionContext } from '../context/session-context.js';
import type { FormerOwner } from '../record/record-owner.js';

/** How long a silent store may delay a save, ms. */
const LOOK_PATIENCE_MS = 5_000;
/** How often it is told that another client id uses the login, too, ms. */
const TELL_EVERY_MS = 24 * 60 * 60 * 1000;

const WHAT_TO_DO =
  "Two clients can't use one login: WhatsApp ends them by turns, and their copies drift apart. Stop one of the two, and call its " +
  'clear() without { logout: true }, which would unlink the other one, too';

/**
 * Tells that the id that had this login before goes on using it.
 *
 * @returns when it was told last, ISO 8601
 */
export function tellOfFormerOwner(
  { clock, clientId, warn }: SessionContext,
  { clientId: former, since, toldAt }: FormerOwner & { readonly since: string },
): string {
  if (toldAt !== undefined && clock.now() - Date.parse(toldAt) < TELL_EVERY_MS) return toldAt;
  warn(
    'login-in-two-places',
    `the login of '${clientId}' came from the client id '${former}' at ${since}, and '${former}' has saved it since then. ` +
      WHAT_TO_DO,
  );
  return new Date(clock.now()).toISOString();
}

/** Tells at the former id that the login, which is in use here, was taken over by another one. */
export function tellOfTakeover({ clientId, record, warn }: SessionContext, { by, at }: LineageHold): void {
  const { formerOwners = [] } = record.current;
  const hasReturned = formerOwners.some((former) => former.clientId === by && former.isCopy !== true);
  if (by === undefined || hasReturned) return;
  warn(
    'login-in-two-places',
    `the client id '${by}' took over the login of '${clientId}' at ${at}, and it is in use here, too; its copies here are not ` +
      `held any more. ${WHAT_TO_DO}`,
  );
}

/** Notices at the former id that another one has taken its login over, while it is in use here. */
export class TwoPlaces {
  readonly #context: SessionContext;
  /** The ids that were told. */
  readonly #told = new Set<string | undefined>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Call with a login that is in use here. Never rejects.
   *
   * @param stores names of the stores to ask; default: all
   * @returns whether a store says that it has moved to another client id, so that its hold is to be ended
   */
  async notice(lineage: string, stores?: ReadonlySet<string>): Promise<boolean> {
    const all = allRepositories(this.#context);
    const asked = stores === undefined ? all : all.filter(({ store }) => stores.has(store.name));
    const ask = (repository: SnapshotRepository) => repository.holds();
    const patience = new StorePatience(this.#context.clock, LOOK_PATIENCE_MS);
    const holds = answered(await askStores(asked, ask, patience)).flatMap(({ value }) => value);
    const moved = holds.filter((one) => one.lineage === lineage && one.cause === 'moved');
    for (const one of moved) {
      if (this.#told.has(one.by)) continue;
      this.#told.add(one.by);
      tellOfTakeover(this.#context, one);
    }
    return moved.length > 0;
  }
}
