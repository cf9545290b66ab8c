import type { TinyStore } from './memory-store.js';

/** The object of a store that holds a content, alone or among others, and where in it. */
export function holderOf(
  store: TinyStore,
  content: string | Uint8Array | undefined,
): { readonly key: string; readonly at: number; readonly bytes: number } {
  const wanted = Buffer.from(content ?? '');
  for (const [key, { bytes }] of store.objects) {
    const at = key.includes('/objects/') ? bytes.indexOf(wanted) : -1;
    if (at >= 0) return { key, at, bytes: bytes.length };
  }
  throw new Error('no object holds it');
}
