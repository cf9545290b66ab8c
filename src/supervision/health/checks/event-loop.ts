import type { Check } from '../issue.js';

/** No work of this library or of whatsapp-web.js holds the event loop this long (docs/chromium-facts.md F5.6). */
const SLOW_MS = 500;

/** Whether the bot's event loop is free. */
export const eventLoop: Check = ({ eventLoopDelayMs: delayMs }) => {
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
