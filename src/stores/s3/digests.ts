import { createHash } from 'node:crypto';
import { StoreError } from '../../errors.js';
import { DigestCheck } from '../digest.js';
import type { ContentDigest } from '../session-store.js';

/**
 * The MD5 of bytes in lower-case hex, which S3 compares before it stores them; `undefined` on a system that forbids MD5.
 *
 * @throws StoreError (retryable) if the bytes are not those of the digest.
 */
export function md5Of(key: string, bytes: Uint8Array, digest?: ContentDigest): string | undefined {
  if (digest !== undefined) {
    const check = new DigestCheck(key, digest);
    check.update(bytes);
    check.assertSame();
  }
  const md5 = plainMd5(bytes);
  if (digest?.md5 === undefined || md5 === undefined || md5 === digest.md5) return md5 ?? digest?.md5;
  throw new StoreError(`the bytes of "${key}" are not those of the announced MD5`);
}

/** The form of the header `Content-MD5`. */
export function md5Header(md5: string): string {
  return Buffer.from(md5, 'hex').toString('base64');
}

export function plainMd5(bytes: Uint8Array | string): string | undefined {
  try {
    return createHash('md5').update(bytes).digest('hex');
  } catch {
    return undefined;
  }
}
