import { type Clock, orAborted } from '../../clock.js';
import { StoreError, TimeoutError } from '../../errors.js';
import type { Connections, Row, Statement } from './connections.js';
import { isMissingSchema } from './faults.js';
import { migrationOf, SCHEMA_VERSION } from './schema.js';

interface Place {
  /** Name of the store, for messages. */
  readonly name: string;
  readonly schema: string;
}

/** How long it may take to find or make the tables, ms. */
const SCHEMA_MS = 10_000;

/** The tables of a store, which are looked for once, and again only after a failure. */
export class Tables {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #place: Place;
  #ready: Promise<void> | undefined;

  constructor(connections: Connections, clock: Clock, place: Place) {
    this.#connections = connections;
    this.#clock = clock;
    this.#place = place;
  }

  /** Makes them where they are not. All callers wait for the same work, and none longer than its own signal. */
  async areThere(signal: AbortSignal | undefined): Promise<void> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    const ready = this.#ready;
    await (signal === undefined ? ready : orAborted(ready, signal));
  }

  /** They are looked for again at the next call. */
  forget(): void {
    this.#ready = undefined;
  }

  async #prepare(): Promise<void> {
    const { name } = this.#place;
    const ending = new AbortController();
    const cause = new TimeoutError(`no answer for ${SCHEMA_MS / 1000} s`);
    const late = new StoreError(`${name} does not answer: its tables could not be looked up`, { cause });
    const timer = this.#clock.setTimeout(() => ending.abort(late), SCHEMA_MS);
    try {
      await ensureSchema(this.#connections, this.#place, ending.signal);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}

/**
 * Makes or completes the tables of the store, unless they are as this version of the library wants them. Of several
 * processes that start at once, one does it and the others wait.
 *
 * @throws StoreError, not retryable, if a newer version has changed them
 */
async function ensureSchema(connections: Connections, place: Place, signal: AbortSignal): Promise<void> {
  const asking = { text: `SELECT version::text, readable_from::text FROM "${place.schema}".meta` };
  try {
    if (isCurrent(place, await connections.read(asking, signal))) return;
  } catch (error) {
    if (!isMissingSchema(error)) throw error;
  }
  await connections.transaction(async (send) => {
    const name = `wwebjs-persistent-session:${place.schema}`;
    await send({ text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', values: [name] });
    if (await isDoneMeanwhile(place, send, asking)) return;
    // Where a person has made the schema, the user of the store needs no right to make one.
    const found = await send({ text: 'SELECT to_regnamespace($1)::text AS found', values: [place.schema] });
    if (found[0]?.found === null) await send({ text: `CREATE SCHEMA "${place.schema}"` });
    for (const text of migrationOf(place.schema)) await send({ text });
  }, signal);
}

async function isDoneMeanwhile(
  place: Place,
  send: (statement: Statement) => Promise<readonly Row[]>,
  asking: Statement,
): Promise<boolean> {
  const found = await send({
    text: 'SELECT to_regclass($1)::text AS found',
    values: [`"${place.schema}".meta`],
  });
  return found[0]?.found !== null && isCurrent(place, await send(asking));
}

function isCurrent({ name, schema }: Place, [row]: readonly Row[]): boolean {
  if (row === undefined) return false;
  if (Number(row.readable_from) > SCHEMA_VERSION) {
    throw new StoreError(
      `${name}: the schema "${schema}" has version ${row.version}, made by a newer wwebjs-persistent-session, ` +
        `and this one knows version ${SCHEMA_VERSION}: update the package, or give another schema`,
      { retryable: false },
    );
  }
  return Number(row.version) >= SCHEMA_VERSION;
}
