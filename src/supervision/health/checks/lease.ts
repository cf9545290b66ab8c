import { isRunning, type StoreLeaseFacts } from '../facts.js';
import type { Check, Issue } from '../issue.js';
import { duration, isolated } from '../text.js';

/** Whether this process owns the session that it runs. */
export const lease: Check = ({ state, leaseHeld, leaseUnproven, storeLease }) => {
  if (!isRunning(state)) return 'unknown';
  if (!(leaseHeld || leaseUnproven) || storeLease?.isLost) return [LOST];
  const inStore = storeLease === undefined ? [] : unprovenIn(storeLease);
  return leaseHeld ? inStore : [UNPROVEN, ...inStore];
};

/** A store is asked several times in this part of the takeover time. */
const LATE_PART = 1 / 2;

function unprovenIn({ store, provenAgoMs, takeoverMs }: StoreLeaseFacts): readonly Issue[] {
  if (provenAgoMs !== undefined && provenAgoMs <= takeoverMs * LATE_PART) return [];
  const age = (language: 'en' | 'ar') => duration(provenAgoMs ?? 0, language);
  const since =
    provenAgoMs === undefined ? { en: 'yet', ar: 'بعد' } : { en: `for ${age('en')}`, ar: `منذ ${age('ar')}` };
  return [
    {
      code: 'store-lease-unproven',
      severity: 'warning',
      message: {
        en: `The store ${store} has not confirmed ${since.en} that this process owns the session: copies into it pause.`,
        ar: `لم يؤكد المخزن ${isolated(store)} ${since.ar} أن هذه العملية تملك الجلسة، فالنسخ إليه متوقف مؤقتًا.`,
      },
      advice: {
        en: 'Check that this store can be reached and written to; copies into other stores go on, and it continues by itself.',
        ar: 'تحقّق من أن هذا المخزن متاح وقابل للكتابة. يستمر النسخ إلى المخازن الأخرى، ويُستأنف تلقائيًا.',
      },
    },
  ];
}

const LOST: Issue = {
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
