/** What a contender says that it did. */
export type Deed =
  | { readonly did: 'acquired'; readonly generation: number }
  | { readonly did: 'put'; readonly key: string }
  | { readonly did: 'lost' }
  | { readonly did: 'failed'; readonly why: string };

/** What a contender lists. */
export interface Snapshot {
  readonly by: string;
  readonly generation: number;
  readonly number: number;
  readonly object: string;
  readonly sha256: string;
}
