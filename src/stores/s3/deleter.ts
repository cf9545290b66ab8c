import { StoreError } from '../../errors.js';
import { assertVersion } from '../ranges.js';
import type { DeleteOptions } from '../session-store.js';
import { type BucketConditions, inForm } from './bucket-probe.js';
import { failureOf, isMissing } from './failure.js';
import { deleteOne } from './many-deletes.js';
import type { ObjectReader, ReaderPlace } from './reader.js';

/** Others may put the object anew this often between the look at it and its delete. */
const MAX_ROUNDS = 20;

/** Deletes of one object, conditional where the bucket keeps conditions. */
export class ObjectDeleter {
  readonly #place: ReaderPlace & { readonly prefix: string };
  readonly #reader: ObjectReader;

  constructor(place: ReaderPlace & { readonly prefix: string }, reader: ObjectReader) {
    this.#place = place;
    this.#reader = reader;
  }

  /** @param conditions what is known of the bucket; without it, two deletes at once may both say that they did it */
  async delete(
    key: string,
    options: DeleteOptions,
    conditions: BucketConditions | undefined,
  ): Promise<boolean> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const info = await this.#reader.head(key, options);
      if (info === undefined) return false;
      assertVersion(key, options.ifVersion, info.version);
      if (conditions?.deleteIfMatch !== true) return deleteOne(this.#place, key, options);
      const ifMatch = inForm(info.version, conditions.ifMatch ?? 'quoted');
      if (await this.#deleteVersion(key, ifMatch, options)) return true;
    }
    throw new StoreError(`"${key}" was not deleted: it was put anew each time`);
  }

  /** Whether this call has deleted it. */
  async #deleteVersion(key: string, ifMatch: string, { signal }: DeleteOptions): Promise<boolean> {
    const { connection, bucket, keyIn } = this.#place;
    try {
      await connection.run(`delete "${key}"`, { signal }, ({ sdk, client, http }) =>
        client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: keyIn(key), IfMatch: ifMatch }), http),
      );
      return true;
    } catch (error) {
      const failure = failureOf(error);
      if (isMissing(failure)) return (failure?.attempts ?? 1) > 1; // an answer was lost
      if (failure?.status === 412 || failure?.status === 409) return false;
      throw error;
    }
  }
}
