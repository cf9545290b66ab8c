import { randomUUID } from 'node:crypto';
import { type Clock, orAborted, sleep } from '../../clock.js';
import { StoreError } from '../../errors.js';
import { RESERVED_PREFIXES } from '../keys.js';
import { versionOf } from './answers.js';
import type { Channel, S3Connection } from './connection.js';
import { md5Header } from './digests.js';
import { failureOf, isMissing } from './failure.js';

/** All requests of one round end after this time, ms. */
const PROBE_MS = 30_000;
/** A probe whose answers are lost is begun anew this often. */
const ROUNDS = 3;

/** Objects of this name are made by a probe. They are no keys of the library, and are left out of listings. */
export const PROBE_NAME = `${RESERVED_PREFIXES.temporary}probe-`;

/** An ETag that no value has. */
const NO_ETAG = '0123456789abcdef0123456789abcdef';

/** How a service wants the ETag of a condition. */
export type EtagForm = 'quoted' | 'bare';

/** What a bucket does with conditions. */
export interface BucketConditions {
  /** Whether `If-None-Match: *` of a put holds. */
  readonly ifNoneMatch: boolean;
  /** The form in which `If-Match` of a put holds; `undefined` if it does not. */
  readonly ifMatch: EtagForm | undefined;
  /** Whether `If-Match` of a delete holds, in the same form. */
  readonly deleteIfMatch: boolean;
}

export interface ProbePlace {
  readonly bucket: string;
  readonly prefix: string;
  readonly clock: Clock;
  /** Called once, with what was found. */
  readonly onConditions: (found: BucketConditions) => void;
}

/**
 * Tries on the bucket itself what its service does with conditions and digests, because many ignore them without a word.
 * Each is tried once and remembered, unless the attempt failed.
 */
export class BucketProbe {
  readonly #connection: S3Connection;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #onConditions: ProbePlace['onConditions'];
  #conditions: Promise<BucketConditions> | undefined;
  #digests: Promise<boolean> | undefined;

  constructor(connection: S3Connection, place: ProbePlace) {
    this.#connection = connection;
    this.#onConditions = place.onConditions;
    this.#bucket = place.bucket;
    this.#prefix = place.prefix;
    this.#clock = place.clock;
  }

  /** @throws StoreError if the bucket can't be asked now; the next call tries again. */
  conditions(signal?: AbortSignal): Promise<BucketConditions> {
    this.#conditions ??= this.#remember(this.#tryConditions(), () => {
      this.#conditions = undefined;
    });
    return signal === undefined ? this.#conditions : orAborted(this.#conditions, signal);
  }

  /** Whether a put with a wrong `Content-MD5` is refused. */
  digests(signal?: AbortSignal): Promise<boolean> {
    this.#digests ??= this.#remember(this.#tryDigests(), () => {
      this.#digests = undefined;
    });
    return signal === undefined ? this.#digests : orAborted(this.#digests, signal);
  }

  #remember<T>(work: Promise<T>, forget: () => void): Promise<T> {
    work.catch(forget);
    return work;
  }

  async #tryConditions(): Promise<BucketConditions> {
    const found = await this.#probe(
      'try the conditions of puts',
      async (trial): Promise<BucketConditions> => {
        const first = await trial.put({ ifNoneMatch: true });
        if (first === 'refused') return { ifNoneMatch: false, ifMatch: undefined, deleteIfMatch: false };
        const ifNoneMatch = (await trial.put({ ifNoneMatch: true })) === 'refused';
        const ifMatch = await this.#formOf(trial);
        const deleteIfMatch = await this.#holdsForDeletes(trial, ifMatch ?? 'quoted');
        return { ifNoneMatch, ifMatch, deleteIfMatch };
      },
    );
    this.#onConditions(found);
    return found;
  }

  async #formOf(trial: Trial): Promise<EtagForm | undefined> {
    for (const form of ['quoted', 'bare'] as const) {
      if ((await trial.put({ ifMatch: inForm(NO_ETAG, form) })) === 'done') return undefined;
      if ((await trial.put({ ifMatch: inForm(trial.etag, form) })) === 'done') return form;
    }
    return undefined;
  }

  async #holdsForDeletes(trial: Trial, form: EtagForm): Promise<boolean> {
    if ((await trial.delete(inForm(NO_ETAG, form))) === 'done') return false;
    if ((await trial.delete(inForm(trial.etag, form))) === 'refused') return false;
    // Only a service that refuses it where nothing is left can tell which of two deletes has done it.
    return (await trial.delete(inForm(trial.etag, form))) === 'refused';
  }

  #tryDigests(): Promise<boolean> {
    return this.#probe('try whether digests are compared', async (trial) => {
      return (await trial.put({ md5: NO_ETAG })) === 'refused';
    });
  }

  async #probe<T>(what: string, attempt: (trial: Trial) => Promise<T>): Promise<T> {
    for (let round = 1; ; round++) {
      try {
        return await this.#probeOnce(what, attempt);
      } catch (error) {
        if (!(error instanceof UnclearError)) throw error;
        if (round === ROUNDS) throw new StoreError(`could not ${what}: answers were lost again and again`);
      }
    }
  }

  async #probeOnce<T>(what: string, attempt: (trial: Trial) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const end = new AbortController();
    sleep(this.#clock, PROBE_MS, end.signal).then(
      () => ending.abort(new StoreError(`could not ${what} within ${PROBE_MS / 1000} s`)),
      () => undefined,
    );
    const key = `${this.#prefix}${PROBE_NAME}${randomUUID()}`;
    const trial = new Trial(this.#connection, { Bucket: this.#bucket, Key: key }, what, ending.signal);
    try {
      return await attempt(trial);
    } finally {
      await trial.delete().catch(() => undefined); // the name is left out of listings, and no other probe takes it
      end.abort();
    }
  }
}

/** An ETag as a header wants it. */
export function inForm(version: string, form: EtagForm): string {
  return form === 'quoted' ? `"${version}"` : version;
}

type Outcome = 'done' | 'refused';

/** An answer of the probe was lost, so that the next one proves nothing. */
class UnclearError extends Error {}

/** The object of one probe. */
class Trial {
  /** The ETag of the value that is there. */
  etag = '';
  readonly #connection: S3Connection;
  readonly #place: { readonly Bucket: string; readonly Key: string };
  readonly #what: string;
  readonly #signal: AbortSignal;

  constructor(
    connection: S3Connection,
    place: { readonly Bucket: string; readonly Key: string },
    what: string,
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#place = place;
    this.#what = what;
    this.#signal = signal;
  }

  put({ ifNoneMatch, ifMatch, md5 }: { ifNoneMatch?: boolean; ifMatch?: string; md5?: string }) {
    return this.#ask(async ({ sdk, client, http }) => {
      const command = new sdk.PutObjectCommand({
        ...this.#place,
        Body: Buffer.from(randomUUID()), // other bytes each time, so that no ETag comes back
        ...(ifNoneMatch && { IfNoneMatch: '*' }),
        ...(ifMatch !== undefined && { IfMatch: ifMatch }),
        ...(md5 !== undefined && { ContentMD5: md5Header(md5) }),
      });
      this.etag = versionOf('a probe', (await client.send(command, http)).ETag);
    });
  }

  delete(ifMatch?: string): Promise<Outcome> {
    return this.#ask(async ({ sdk, client, http }) => {
      const condition = ifMatch === undefined ? {} : { IfMatch: ifMatch };
      await client.send(new sdk.DeleteObjectCommand({ ...this.#place, ...condition }), http);
    });
  }

  /**
   * Refused is what the server has understood and not done; everything else is thrown. A refusal after an answer was lost
   * says nothing: the request may have met its own value.
   */
  async #ask(work: (channel: Channel) => Promise<void>): Promise<Outcome> {
    try {
      await this.#connection.run(this.#what, { signal: this.#signal }, work);
      return 'done';
    } catch (error) {
      const failure = failureOf(error);
      const isRefusal = failure?.status === 412 || failure?.code === 'BadDigest' || isUnknown(failure);
      if (!isRefusal && !isMissing(failure)) throw error;
      if ((failure?.attempts ?? 1) > 1) throw new UnclearError();
      return 'refused';
    }
  }
}

/** Whether the service says that it does not know the header. */
function isUnknown(failure: ReturnType<typeof failureOf>): boolean {
  return failure?.status === 501 || failure?.code === 'NotImplemented' || failure?.code === 'InvalidArgument';
}
