/** What unzipper's parser uses of bluebird, for `inlineUnzipper`. */

/** An object whose values are awaited. */
export async function props(values: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const entries = Object.entries(values).map(async ([name, value]) => [name, await value] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** One after the other; the items may be holes. */
export async function mapSeries<Item, Result>(
  items: readonly Item[],
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  // `entries()` walks over the holes, too.
  for (const [, item] of items.entries()) results.push(await map(item));
  return results;
}
