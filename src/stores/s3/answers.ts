import { StoreError } from '../../errors.js';
import type { ObjectInfo } from '../session-store.js';

/** What S3's answers tell of an object. */
interface Told {
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

/** One form for what some services put into quotes, and others do not. */
export function versionOf(key: string, etag: string | undefined): string {
  const version = etag?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
  if (version) return version;
  throw new StoreError(`the service tells no ETag of "${key}", by which a value is known`, {
    retryable: false,
  });
}

/** Whether a text can be an ETag: anything else would change the meaning of a condition. */
export function isVersion(version: string): boolean {
  return /^[\w+/=:.-]{1,200}$/.test(version);
}

export function infoOf(key: string, size: number | undefined, { ETag, LastModified }: Told): ObjectInfo {
  if (size === undefined || LastModified === undefined || Number.isNaN(LastModified.getTime())) {
    throw new StoreError(`the service tells no size or no time of "${key}"`, { retryable: false });
  }
  // A listing tells milliseconds, everything else whole seconds.
  const modifiedAt = new Date(Math.floor(LastModified.getTime() / 1000) * 1000);
  return { key, size, version: versionOf(key, ETag), modifiedAt };
}

/** The size of the whole object in `bytes 0-9/300013`; `undefined` if it is not told. */
export function wholeSize(contentRange: string | undefined): number | undefined {
  const [, size] = /\/(\d+)$/.exec(contentRange ?? '') ?? [];
  return size === undefined ? undefined : Number(size);
}
