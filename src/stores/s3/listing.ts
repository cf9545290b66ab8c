import { StoreError } from '../../errors.js';
import type { ObjectInfo } from '../session-store.js';
import { infoOf } from './answers.js';
import { PROBE_NAME } from './bucket-probe.js';
import type { S3Connection } from './connection.js';

export interface Listed {
  readonly bucket: string;
  /** The folder of the store, which is taken off the keys. */
  readonly prefix: string;
  /** Keys of the store begin with this. */
  readonly below: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Every object whose key begins with `prefix` and `below`, page by page.
 *
 * @throws StoreError if a page is the last one but not complete, or leads back to an earlier one.
 */
export async function* listObjects(
  connection: S3Connection,
  { bucket, prefix, below, signal }: Listed,
): AsyncGenerator<ObjectInfo, void, void> {
  const what = `list "${below}"`;
  const seen = new Set<string>();
  let token: string | undefined;
  do {
    const page = await connection.run(what, { signal }, ({ sdk, client, http }) =>
      client.send(
        new sdk.ListObjectsV2Command({
          ...{ Bucket: bucket, Prefix: `${prefix}${below}` },
          ...(token !== undefined && { ContinuationToken: token }),
        }),
        http,
      ),
    );
    for (const { Key = '', Size, ETag, LastModified } of page.Contents ?? []) {
      const key = Key.slice(prefix.length);
      if (!Key.startsWith(prefix) || !key.startsWith(below) || key.startsWith(PROBE_NAME)) continue;
      yield infoOf(key, Size, { ETag, LastModified });
    }
    token = page.NextContinuationToken;
    if (page.IsTruncated === true && token === undefined)
      throw faulty(what, 'a page has no token for the next one');
    if (token !== undefined && seen.has(token)) throw faulty(what, 'the token of a page comes back');
    if (token !== undefined) seen.add(token);
  } while (token !== undefined);

  function faulty(action: string, why: string): StoreError {
    return new StoreError(`could not ${action} in ${connection.label}: ${why}`, { retryable: false });
  }
}
