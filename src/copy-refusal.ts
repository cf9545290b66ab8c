import type { EventError, SkipReason } from './events.js';

/** Why a save or backup was refused, in words. Not of what is in order: nothing has changed, or the session is down. */
const WORDS: Readonly<Partial<Record<SkipReason, string>>> = {
  unsound: 'the profile is not whole, so it was not copied',
  'no-space': 'there is no room for a copy where the profile lies',
  'no-lease':
    "it can't be told whether this process owns the session: its lease file can't be read or written",
};

/** As an error whose code is the reason; `undefined` where nothing was refused. */
export function refusalOf(reason: SkipReason): EventError | undefined {
  const message = WORDS[reason];
  return message === undefined ? undefined : { code: reason, message };
}
