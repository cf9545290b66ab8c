import { describe, expect, it } from 'vitest';
import { adviceWords } from '../../../src/http/dashboard/client/model/advice.js';
import { plain } from '../../../src/http/dashboard/client/model/fill.js';
import { textsOf } from '../../../src/http/dashboard/client/texts/of.js';

const words = (locale: 'en' | 'ar', advice: string): string => plain(adviceWords(textsOf(locale), advice));

describe('what the bot advises', () => {
  it('names the button that does it, in the language of the page', () => {
    expect(words('en', 'Look in the log for the cause, then use reconnect().')).toBe(
      'Look in the log for the cause, then use “Reconnect”.',
    );
    expect(words('ar', 'ابحث عن السبب في السجل، ثم استعمل reconnect().')).toBe(
      'ابحث عن السبب في السجل، ثم استعمل «إعادة الاتصال».',
    );
  });

  it('may name several', () => {
    expect(words('ar', 'استعمل verify()، أو خذ واحدة جديدة عبر forceSave().')).toBe(
      'استعمل «التحقق من كل النسخ»، أو خذ واحدة جديدة عبر «حفظ الآن».',
    );
  });

  it.each(['Use fly() and toString().', 'Mount a volume (backupPath).'])('leaves alone: %s', (advice) => {
    expect(words('en', advice)).toBe(advice);
  });
});
