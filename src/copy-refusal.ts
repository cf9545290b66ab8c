import type { CopySkipped, EventError, SkipReason } from './events.js';

/** Why a save or backup was refused, in words. The normal reasons (nothing changed, session not ready) have none. */
const WORDS: Readonly<Partial<Record<SkipReason, string>>> = {
  unsound: 'the profile is not whole, so it was not copied',
  'no-space': 'there is no room for a copy where the profile lies',
  'no-lease':
    "it can't be confirmed that this process owns the session: its lease file can't be read or written",
};

/** As an error whose code is the reason; `undefined` where nothing was refused. */
export function refusalOf({ reason, error, stores }: CopySkipped): EventError | undefined {
  const isOfStores = reason === 'no-space' && stores !== undefined;
  const words = isOfStores ? `there is no room for a copy in ${stores.join(', ')}` : WORDS[reason];
  if (words === undefined) return undefined;
  return { code: reason, message: error === undefined ? words : `${words} (${error.message})` };
}
