/** The bluebird functions that unzipper's parser uses, for `inlineUnzipper`. */

/** Awaits the values of an object. */
export async function props(values: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const entries = Object.entries(values).map(async ([name, value]) => [name, await value] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Maps the items one after the other; the array may have holes. */
export async function mapSeries<Item, Result>(
  items: readonly Item[],
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  // `entries()` also visits the holes.
  for (const [, item] of items.entries()) results.push(await map(item));
  return results;
}
