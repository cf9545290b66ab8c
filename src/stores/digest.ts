import { createHash } from 'node:crypto';
import { StoreError } from '../errors.js';
import type { ContentDigest } from './session-store.js';

/** Refuses a digest that no bytes can have, because every put with it would fail. */
export function assertDigest(key: string, digest: ContentDigest | undefined): void {
  if (digest === undefined) return;
  const { sha256, md5 } = digest;
  const isWhole = isHex(sha256, 64) && (md5 === undefined || isHex(md5, 32));
  if (isWhole) return;
  throw new StoreError(`"${key}": a digest is { sha256, md5? } in lower-case hex`, { retryable: false });
}

/** Compares bytes that pass by with a digest. MD5 is left to the servers that want it, as some systems forbid it. */
export class DigestCheck {
  readonly #key: string;
  readonly #digest: ContentDigest;
  readonly #hash = createHash('sha256');

  constructor(key: string, digest: ContentDigest) {
    assertDigest(key, digest);
    this.#key = key;
    this.#digest = digest;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** @throws StoreError (retryable) if the bytes were others. May be called once. */
  assertSame(): void {
    if (this.#hash.digest('hex') === this.#digest.sha256) return;
    throw new StoreError(`the bytes of "${this.#key}" are not those of the announced digest`);
  }
}

function isHex(text: unknown, digits: number): boolean {
  return typeof text === 'string' && text.length === digits && /^[0-9a-f]*$/.test(text);
}
