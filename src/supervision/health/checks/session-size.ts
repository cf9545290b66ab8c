import { type HealthFacts, isRunning } from '../facts.js';
import type { Check, Issue } from '../issue.js';
import { isolated, megabytes } from '../text.js';

/** Whether the profile is within `maxSessionSizeMb`. */
export const sessionSize: Check = (facts) => {
  const { size, limits } = facts;
  if (size === undefined) return 'unknown';
  if (size.totalBytes <= limits.maxSessionBytes) return [];
  return [
    size.essentialBytes > limits.maxSessionBytes
      ? essentialTooLarge(size.essentialBytes, facts)
      : tooLarge(size.totalBytes, facts),
  ];
};

function tooLarge(bytes: number, { limits, state }: HealthFacts): Issue {
  return {
    code: 'session-too-large',
    severity: 'warning',
    message: {
      en: `The profile takes ${megabytes(bytes, 'en')}, more than maxSessionSizeMb (${megabytes(limits.maxSessionBytes, 'en')}); the excess is browser cache.`,
      ar: `حجم ملف التعريف ${megabytes(bytes, 'ar')}، أي أكثر من ${isolated('maxSessionSizeMb')} (${megabytes(limits.maxSessionBytes, 'ar')})؛ والزائد ملفات مؤقتة للمتصفح.`,
    },
    advice: {
      en: 'Caches are cleared once an hour while it runs, and before a start: reconnect() does that now, prune() while stopped.',
      ar: 'تُمسح الملفات المؤقتة مرة في الساعة أثناء العمل، وقبل كل تشغيل؛ ولمسحها الآن استعمل reconnect()، أو prune() إذا كانت الجلسة متوقفة.',
    },
    action: isRunning(state) ? 'reconnect' : 'prune',
  };
}

function essentialTooLarge(bytes: number, { limits }: HealthFacts): Issue {
  return {
    code: 'essential-too-large',
    severity: 'warning',
    message: {
      en: `The login alone takes ${megabytes(bytes, 'en')}, more than maxSessionSizeMb (${megabytes(limits.maxSessionBytes, 'en')}).`,
      ar: `حجم بيانات تسجيل الدخول وحدها ${megabytes(bytes, 'ar')}، أي أكثر من ${isolated('maxSessionSizeMb')} (${megabytes(limits.maxSessionBytes, 'ar')}).`,
    },
    advice: {
      en: 'No cache can be removed to help: raise maxSessionSizeMb (MAX_SESSION_SIZE_MB).',
      ar: 'لا يفيد هنا حذف الملفات المؤقتة: ارفع قيمة maxSessionSizeMb.',
    },
  };
}
