import { isStoreError, StoreError } from '../../errors.js';
import { deleteEach } from '../delete-each.js';
import { assertPortableKey } from '../keys.js';
import type { DeleteResult, StoreCallOptions } from '../session-store.js';
import type { Channel, S3Connection } from './connection.js';
import { md5Header, plainMd5 } from './digests.js';
import { failureOf } from './failure.js';

/** S3 takes no more in one request. */
const MOST = 1_000;

export interface DeletesPlace {
  readonly connection: S3Connection;
  readonly bucket: string;
  readonly prefix: string;
}

/** Deletes many objects with one request for each 1,000, or one by one where the service knows no such request. */
export async function deleteObjects(
  place: DeletesPlace,
  keys: readonly string[],
  options: StoreCallOptions,
): Promise<readonly DeleteResult[]> {
  const errors = new Map<string, StoreError>();
  const good = keys.filter((key) => {
    const problem = problemOf(key);
    if (problem !== undefined) errors.set(key, problem);
    return problem === undefined;
  });
  for (let from = 0; from < good.length; from += MOST) {
    const some = good.slice(from, from + MOST);
    for (const { key, error } of await deleteSome(place, some, options)) {
      if (error !== undefined) errors.set(key, error);
    }
  }
  return keys.map((key) => {
    const error = errors.get(key);
    return error === undefined ? { key } : { key, error };
  });
}

async function deleteSome(
  place: DeletesPlace,
  keys: readonly string[],
  options: StoreCallOptions,
): Promise<readonly DeleteResult[]> {
  try {
    return await deleteAtOnce(place, keys, options);
  } catch (error) {
    const { status, code } = failureOf(error) ?? {};
    if (status !== 501 && code !== 'NotImplemented' && code !== 'MethodNotAllowed') throw error;
    return deleteEach(
      { name: place.connection.label, delete: (key, own = {}) => deleteOne(place, key, own) },
      keys,
      options,
    );
  }
}

function deleteAtOnce(
  { connection, bucket, prefix }: DeletesPlace,
  keys: readonly string[],
  { signal }: StoreCallOptions,
): Promise<readonly DeleteResult[]> {
  const what = `delete ${keys.length} objects`;
  return connection.run(what, { signal, isLarge: keys.length > 100 }, async ({ sdk, client, http }) => {
    const command = new sdk.DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: keys.map((key) => ({ Key: `${prefix}${key}` })), Quiet: true },
    });
    addContentMd5(command);
    const { Errors = [] } = await client.send(command, http);
    return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(
      ({ Key = '', Code = 'Error', Message = '' }) => ({
        key: Key.slice(prefix.length),
        error: new StoreError(
          `could not delete "${Key.slice(prefix.length)}" in ${connection.label}: ${Code} ${Message}`,
          {
            retryable: Code !== 'AccessDenied',
          },
        ),
      }),
    );
  });
}

/** Also deletes where nothing is. */
export async function deleteOne(
  { connection, bucket, prefix }: DeletesPlace,
  key: string,
  { signal }: StoreCallOptions,
): Promise<boolean> {
  await connection.run(`delete "${key}"`, { signal }, ({ sdk, client, http }) =>
    client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: `${prefix}${key}` }), http),
  );
  return true;
}

/** Older services want it for this request, and the SDK has no option for it any more. */
function addContentMd5(command: InstanceType<Channel['sdk']['DeleteObjectsCommand']>): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string>; body?: unknown };
      const { body } = request;
      const md5 = typeof body === 'string' || body instanceof Uint8Array ? plainMd5(body) : undefined;
      if (md5 !== undefined) request.headers['content-md5'] = md5Header(md5);
      return next(args);
    },
    { step: 'build', name: 'contentMd5', override: true },
  );
}

function problemOf(key: string): StoreError | undefined {
  try {
    assertPortableKey(key);
    return undefined;
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
}
