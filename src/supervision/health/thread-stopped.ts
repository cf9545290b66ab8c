import type { SilentStore } from './facts.js';
import type { Issue } from './issue.js';
import { duration, isolated } from './text.js';

/** Local stores could not be listed because the worker thread has stopped. Nothing is known against the stores. */
export function threadStopped({ error, forMs }: SilentStore): Issue {
  const why = error?.message ?? '';
  return {
    code: 'worker-thread-stopped',
    severity: 'warning',
    message: {
      en: `The worker thread, which checks and copies the profile and works on local stores, has stopped (${duration(forMs, 'en')}): ${why}.`,
      ar: `توقّف خيط العمل الذي يفحص ملف التعريف وينسخه ويتعامل مع المخازن المحلية (${duration(forMs, 'ar')}): ${isolated(why)}.`,
    },
    advice: {
      en:
        'It is started again by itself, and the stores are not at fault. If it stops again and again, the machine or the ' +
        'container is most likely short of memory: give it more, or run fewer bots in it.',
      ar:
        'يُعاد تشغيله تلقائيًا، ولا عيب في المخازن. إن تكرر توقّفه فالأغلب أن ذاكرة الجهاز أو الحاوية لا تكفي: ' +
        'زِدها، أو شغّل فيها عددًا أقل من البوتات.',
    },
  };
}
