import { abortReason, type Clock, orAborted, sleep } from '../../clock.js';
import { throwIfAborted } from '../body.js';
import { isLostConnection, isOfStandby, isRaceOfTransactions } from './faults.js';

/** A statement as `pg` takes it. */
export interface PostgresQuery {
  text: string;
  values?: unknown[];
  types?: { getTypeParser(): (value: unknown) => unknown };
}

/** What the store uses of a client of `pg`'s pool. */
export interface PostgresPoolClient {
  query(query: PostgresQuery): Promise<{ rows: unknown[] }>;
  release(destroy?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** What the store uses of a `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A pool that the store has opened itself. */
export interface OwnPool extends PostgresPool {
  end(): Promise<void>;
}

export type Row = Readonly<Record<string, string | null>>;

/** With parameters it is sent by the extended protocol without a name, so PgBouncer never meets a prepared statement. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Serializable transactions, which a database may have as its default, fail when they meet; each try lets one through. */
const MOST_TRIES = 30;
const TRY_AGAIN_MS = 5;
/** How long a statement in the background may take, ms. */
const BACKGROUND_MS = 30_000;

/** Parsers that the application has set for its pool, or for all of `pg`, don't matter then. */
const AS_TEXT = { getTypeParser: () => String };

const ignore = (): undefined => undefined;

/** The pools whose errors are listened to. */
const HEARD = new WeakSet<PostgresPool>();

/**
 * Sends statements over a pool. A statement that is given up takes its connection with it, because the answer would reach
 * the next one who uses it.
 */
export class Connections {
  readonly #open: () => Promise<PostgresPool>;
  readonly #clock: Clock;
  readonly #background = new Set<Promise<void>>();
  #pool: Promise<PostgresPool> | undefined;

  /** @param open makes the pool, or finds it; called at the first statement */
  constructor(clock: Clock, open: () => Promise<PostgresPool>) {
    this.#clock = clock;
    this.#open = open;
  }

  /** One statement, which is a transaction by itself. */
  async run(statement: Statement, signal?: AbortSignal): Promise<readonly Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#use(signal, (client) => ask(client, statement));
      } catch (error) {
        throwIfAborted(signal);
        if (!isRaceOfTransactions(error) || tries >= MOST_TRIES) throw error;
      }
      await sleep(this.#clock, TRY_AGAIN_MS * tries, signal);
    }
  }

  /** A statement that may be sent twice; an idle connection may have been closed by anything on the way. */
  async read(statement: Statement, signal?: AbortSignal): Promise<readonly Row[]> {
    try {
      return await this.run(statement, signal);
    } catch (error) {
      throwIfAborted(signal);
      if (!isLostConnection(error)) throw error;
      return this.run(statement, signal);
    }
  }

  /** Several statements in one transaction. Whatever fails ends the connection, and with it the transaction. */
  async transaction<T>(
    work: (send: (statement: Statement) => Promise<readonly Row[]>) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#use(
      signal,
      async (client) => {
        await ask(client, { text: 'BEGIN ISOLATION LEVEL READ COMMITTED' });
        // A process that is stopped in here would hold its locks for as long.
        await ask(client, { text: "SET LOCAL idle_in_transaction_session_timeout = '10s'" });
        await ask(client, { text: "SET LOCAL lock_timeout = '8s'" });
        const result = await work((statement) => ask(client, statement));
        await ask(client, { text: 'COMMIT' });
        return result;
      },
      true,
    );
  }

  /** A statement that nobody waits for. It is given up after a while, and its failure is no one's. */
  background(statement: Statement, then: (rows: readonly Row[]) => void): void {
    const ending = new AbortController();
    const timer = this.#clock.setTimeout(() => ending.abort(), BACKGROUND_MS);
    const work: Promise<void> = this.run(statement, ending.signal)
      .then(then)
      .catch(ignore)
      .finally(() => {
        this.#clock.clearTimeout(timer);
        this.#background.delete(work);
      });
    this.#background.add(work);
  }

  /** Waits for what runs in the background. */
  async idle(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** Lets go of the pool; the next statement opens it anew. */
  async close(end: (pool: PostgresPool) => Promise<unknown>): Promise<void> {
    const opening = this.#pool;
    this.#pool = undefined;
    const pool = await opening?.catch(ignore);
    if (pool === undefined) return;
    await end(pool);
  }

  async #use<T>(
    signal: AbortSignal | undefined,
    work: (client: PostgresPoolClient) => Promise<T>,
    isTransaction = false,
  ): Promise<T> {
    throwIfAborted(signal);
    const client = await this.#checkOut(signal);
    // The pool listens to idle clients only: without this, a backend that dies would end the process.
    client.on('error', ignore);
    let isUsable = false;
    try {
      const result = await until(work(client), signal);
      isUsable = true;
      return result;
    } catch (error) {
      // After a failover the name of the server leads to another one, and the old connection still to the former primary.
      const isSpoilt = isLostConnection(error) || isOfStandby(error);
      isUsable = !isTransaction && !signal?.aborted && !isSpoilt;
      throw error;
    } finally {
      client.release(!isUsable);
      client.removeListener('error', ignore);
    }
  }

  async #checkOut(signal: AbortSignal | undefined): Promise<PostgresPoolClient> {
    const connecting = this.#connect();
    try {
      return await until(connecting, signal);
    } catch (error) {
      if (signal?.aborted) connecting.then((client) => client.release(), ignore);
      throw error;
    }
  }

  async #connect(): Promise<PostgresPoolClient> {
    this.#pool ??= this.#open().then((pool) => {
      listen(pool);
      return pool;
    });
    const opening = this.#pool;
    try {
      return await (await opening).connect();
    } catch (error) {
      opening.catch(() => {
        if (this.#pool === opening) this.#pool = undefined; // what could not be loaded is tried again
      });
      throw error;
    }
  }
}

/** Once for each pool, which many stores may share: an idle client whose server goes away is an error of its pool. */
function listen(pool: PostgresPool): void {
  if (!HEARD.has(pool)) pool.on('error', ignore);
  HEARD.add(pool);
}

function until<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  if (!signal.aborted) return orAborted(work, signal);
  work.catch(ignore);
  return Promise.reject(abortReason(signal));
}

async function ask(client: PostgresPoolClient, { text, values }: Statement): Promise<readonly Row[]> {
  // Without parameters it is sent by the simple protocol, which VACUUM and BEGIN like best.
  const { rows } = await client.query({ text, types: AS_TEXT, ...(values && { values: [...values] }) });
  return rows as Row[];
}
