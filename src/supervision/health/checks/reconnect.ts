import { isUp } from '../../../state.js';
import { STABLE_AFTER_MS } from '../../reconnect/reconnect-delay.js';
import { isRunning } from '../facts.js';
import type { Check, Issue } from '../issue.js';

/** How many reconnect attempts are left. */
export const reconnect: Check = ({ state, upMs, reconnect: { attempt, maxAttempts } }) => {
  // A start that a retry can't fix fails without using an attempt; its error has the advice.
  if (state === 'failed' && maxAttempts !== null && attempt >= maxAttempts) return [EXHAUSTED];
  if (!isRunning(state)) return 'unknown';
  const hasRecovered = isUp(state) && (upMs ?? 0) >= STABLE_AFTER_MS;
  if (maxAttempts === null || attempt === 0 || hasRecovered || attempt < maxAttempts - 1) return [];
  return [fewLeft(attempt, maxAttempts)];
};

const EXHAUSTED: Issue = {
  code: 'reconnects-exhausted',
  severity: 'critical',
  message: { en: 'All attempts to reconnect are used up.', ar: 'استُنفدت كل محاولات إعادة الاتصال.' },
  advice: {
    en: 'initialize() starts again with all attempts; raise maxReconnectAttempts where outages are long.',
    ar: 'استعمل initialize() للبدء من جديد بكل المحاولات؛ وارفع maxReconnectAttempts إن كانت الانقطاعات طويلة.',
  },
  action: 'initialize',
};

function fewLeft(attempt: number, maxAttempts: number): Issue {
  return {
    code: 'reconnects-low',
    severity: 'warning',
    message: {
      en: `${attempt} of ${maxAttempts} attempts to reconnect are used, and the session is not stable yet.`,
      ar: `المحاولات المستعملة لإعادة الاتصال: ${attempt} من ${maxAttempts}، والجلسة لم تستقر بعد.`,
    },
    advice: {
      en: 'Look in the log for what ends the session again and again; reconnect() begins with all attempts fresh.',
      ar: 'ابحث في السجل عمّا يقطع الجلسة مرة بعد مرة؛ وللبدء بكل المحاولات من جديد استعمل reconnect().',
    },
    action: 'reconnect',
  };
}
