import type { Check, Issue } from '../issue.js';
import { duration } from '../text.js';

/** No work of this library or of whatsapp-web.js holds the event loop this long (docs/chromium-facts.md F5.6). */
const SLOW_MS = 500;

/** A thread that turns answers at once, whatever its work waits for, ms. */
const SILENT_MS = 30_000;

/** Whether the bot's event loop is free, and whether the worker thread turns. */
export const eventLoop: Check = ({ eventLoopDelayMs: delayMs, threadSilentMs }) => {
  if (threadSilentMs >= SILENT_MS) return [silentThread(threadSilentMs)];
  if (delayMs === undefined) return 'unknown';
  if (delayMs < SLOW_MS) return [];
  return [
    {
      code: 'event-loop-slow',
      severity: 'warning',
      message: {
        en: `The bot's event loop is held up: one turn in a hundred waits ${Math.round(delayMs)} ms or longer.`,
        ar: `حلقة الأحداث في البوت متأخرة: دورة من كل مئة تنتظر ${Math.round(delayMs)} ميلي ثانية أو أكثر.`,
      },
      advice: {
        en: "Look for long synchronous work in the bot's handlers, or for a machine that is too slow or shared.",
        ar: 'ابحث عن عمل متزامن طويل في معالجات البوت، أو عن خادم بطيء أو مزدحم.',
      },
    },
  ];
};

function silentThread(ms: number): Issue {
  return {
    code: 'thread-silent',
    severity: 'warning',
    message: {
      en: `The library's worker thread has not answered for ${duration(ms, 'en')}: starts, saves and backups wait for it.`,
      ar: `خيط العمل في المكتبة لم يُجب منذ ${duration(ms, 'ar')}، والتشغيل والحفظ والنسخ الاحتياطي تنتظره.`,
    },
    advice: {
      en: 'After a minute without an answer it is replaced automatically, and what waits is tried again.',
      ar: 'بعد دقيقة بلا جواب يُستبدل تلقائيًا، وتُعاد محاولة ما ينتظر.',
    },
  };
}
