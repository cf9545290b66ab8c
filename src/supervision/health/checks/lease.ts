import { isRunning } from '../facts.js';
import type { Check, Issue } from '../issue.js';
import { isolated } from '../text.js';

/** Whether this process owns the session that it runs. */
export const lease: Check = ({ state, leaseHeld, leaseUnproven }) => {
  if (!isRunning(state)) return 'unknown';
  if (leaseHeld) return [];
  if (leaseUnproven) return [UNPROVEN];
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

const UNPROVEN: Issue = {
  code: 'lease-unproven',
  severity: 'warning',
  message: {
    en: "It can't be confirmed just now that this process still owns the session: saves pause.",
    ar: 'لا يمكن التأكد الآن من أن الجلسة ما زالت ملكًا لهذه العملية، فالحفظ متوقف مؤقتًا.',
  },
  advice: {
    en: 'Check the disk of sessionPath: is it mounted, writable and not full? It continues automatically afterwards.',
    ar: `تحقّق من قرص ${isolated('sessionPath')}: هل هو مربوط وقابل للكتابة وغير ممتلئ؟ بعدها يُستأنف الحفظ تلقائيًا.`,
  },
};
