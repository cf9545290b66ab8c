import { StoreError } from '../../errors.js';
import type { Connections, Row, Statement } from './connections.js';
import { isMissingSchema } from './faults.js';
import { migrationOf, SCHEMA_VERSION } from './schema.js';

export interface Place {
  /** Name of the store, for messages. */
  readonly name: string;
  readonly schema: string;
}

/**
 * Makes or completes the tables of the store, unless they are as this version of the library wants them. Of several
 * processes that start at once, one does it and the others wait.
 *
 * @throws StoreError, not retryable, if a newer version has changed them
 */
export async function ensureSchema(
  connections: Connections,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
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
