import { StoreError } from '../../errors.js';
import type { ObjectInfo } from '../session-store.js';
import { BATCH_BYTES } from './chunk-body.js';
import type { Row, Statement } from './connections.js';

const INFO =
  'o.key, o.version::text AS version, o.size::text AS size, ' +
  'floor(extract(epoch FROM o.modified_at) * 1000)::bigint::text AS modified';
const PAGE_KEYS = 1_000;

/**
 * The statements that read. Everything comes as text, which no setting of the server (`bytea_output`), of the pool
 * (`binary`, which damages bytea) or of the application (`pg.types.setTypeParser`) changes.
 */
export class ReadStatements {
  readonly #s: string;

  constructor(schema: string) {
    this.#s = `"${schema}"`;
  }

  head(key: string): Statement {
    return { text: `SELECT ${INFO} FROM ${this.#s}.objects o WHERE o.key = $1`, values: [key] };
  }

  /** An object with the first bytes from `offset` on: one statement, so both are of the same value. */
  open(key: string, offset: number, length: number, ifVersion: string | undefined): Statement {
    const slice = sliceOf('o.chunk_bytes', '$2::bigint', '$3::bigint');
    return {
      text:
        `SELECT ${INFO}, o.chunk_bytes::text AS chunk_bytes, ${slice.bytes} AS bytes FROM ${this.#s}.objects o ` +
        `LEFT JOIN ${this.#s}.chunks c ON c.set_id = o.version AND ${slice.chunks} ` +
        'AND ($4::text IS NULL OR o.version::text = $4) WHERE o.key = $1 ORDER BY c.no',
      values: [key, offset, Math.min(length, BATCH_BYTES), ifVersion ?? null],
    };
  }

  /** More bytes of one version, which never change. */
  more(version: string, chunkBytes: number, offset: number, length: number): Statement {
    const slice = sliceOf('$4::bigint', '$2::bigint', '$3::bigint');
    return {
      text:
        `SELECT ${slice.bytes} AS bytes FROM ${this.#s}.chunks c ` +
        `WHERE c.set_id = $1::uuid AND ${slice.chunks} ORDER BY c.no`,
      values: [version, offset, length, chunkBytes],
    };
  }

  page(prefix: string, after: string): Statement {
    return {
      text:
        `SELECT ${INFO} FROM ${this.#s}.objects o WHERE o.key LIKE $1 AND o.key > $2 ` +
        `ORDER BY o.key LIMIT ${PAGE_KEYS}`,
      values: [`${prefix.replace(/[\\%_]/g, '\\$&')}%`, after],
    };
  }
}

/** Whether more keys may follow these. */
export function isFullPage(rows: readonly Row[]): boolean {
  return rows.length === PAGE_KEYS;
}

export function infoOf(row: Row): ObjectInfo {
  const { key, version, size, modified } = row;
  const info = {
    key: `${key}`,
    size: Number(size),
    version: `${version}`,
    modifiedAt: new Date(Number(modified)),
  };
  if (typeof key === 'string' && Number.isSafeInteger(info.size)) return info;
  throw new StoreError('the database answered with rows that are none of an object', { retryable: false });
}

export function bytesOf(rows: readonly Row[]): readonly Buffer[] {
  return rows.flatMap(({ bytes }) => (bytes ? [Buffer.from(bytes, 'base64')] : []));
}

/** What of the chunks lies in a range; of a value that is not compressed the server reads only that part. */
function sliceOf(chunkBytes: string, offset: string, length: string): { bytes: string; chunks: string } {
  const begin = `c.no::bigint * ${chunkBytes}`;
  const from = `greatest(${offset} - ${begin}, 0)`;
  const to = `least(${offset} + ${length} - ${begin}, ${chunkBytes})`;
  return {
    bytes: `encode(substr(c.bytes, (${from})::integer + 1, (${to} - ${from})::integer), 'base64')`,
    chunks: `c.no >= ${offset} / ${chunkBytes} AND c.no <= (${offset} + ${length} - 1) / ${chunkBytes}`,
  };
}
