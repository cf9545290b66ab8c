import { isRunning } from '../facts.js';
import type { Check } from '../issue.js';

/** Whether this process owns the session that it runs. */
export const lease: Check = ({ state, leaseHeld }) => {
  if (!isRunning(state)) return 'unknown';
  if (leaseHeld) return [];
  return [
    {
      code: 'lease-lost',
      severity: 'critical',
      message: {
        en: 'Another process owns the session now; this one writes nothing any more.',
        ar: 'عملية أخرى تملك الجلسة الآن، ولم تعد هذه العملية تكتب شيئًا.',
      },
      advice: {
        en: 'Run one bot per session. Stop the other one, then use initialize() here.',
        ar: 'شغّل بوتًا واحدًا لكل جلسة. أوقف الآخر ثم استعمل initialize() هنا.',
      },
      action: 'initialize',
    },
  ];
};
