import type { FakeBot } from './fake-bot.js';

export const ANNA = '4915100000001@c.us';
export const BEN = '4915100000002@c.us';

/** The account that a bot is logged in with; `undefined` before its first `ready`. */
export function accountOf(bot: FakeBot): string | undefined {
  return bot.client.info?.wid._serialized;
}
