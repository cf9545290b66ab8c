import type { HealthAction, LocalizedText } from '../../health.js';
import type { ToldRefusal } from './copy-refusals.js';
import type { CopyFacts } from './facts.js';
import { isolated } from './text.js';

interface Words {
  /** The reason in Arabic; in English, the refusal's own message is used. */
  readonly reason: string;
  /** What to do before the next copy. */
  readonly advice: LocalizedText;
}

/** Texts by the code of a refusal. Other codes are errors and are shown as they are. */
const WORDS: Readonly<Record<string, Words>> = {
  unsound: {
    reason: 'ملف التعريف غير سليم، فلم تُؤخذ منه نسخة',
    advice: {
      en: 'A profile that is not whole is checked, and restored if need be, before a start: call reconnect()',
      ar: 'يُفحص ملف التعريف قبل التشغيل وتُستعاد نسخة عند الحاجة: استعمل reconnect()',
    },
  },
  'no-space': {
    reason: 'لا توجد مساحة لنسخة على قرص ملف التعريف',
    advice: {
      en: 'Make room where the profile lies: prune() removes what is no longer needed',
      ar: 'أفسح مكانًا على قرص ملف التعريف: استعمل prune() لحذف ما لم يعد مطلوبًا',
    },
  },
  'no-lease': {
    reason: 'لا يمكن التأكد من أن الجلسة ملك لهذه العملية: تعذّرت قراءة ملف الملكية أو كتابته',
    advice: {
      en: 'Look at the disk of sessionPath: is it mounted, writable, and not full?',
      ar: `تحقّق من قرص ${isolated('sessionPath')}: هل هو مربوط وقابل للكتابة وغير ممتلئ؟`,
    },
  },
};

/** Adds to a message about copies why the last attempt failed. */
export function withReason(message: LocalizedText, { refusal }: Pick<CopyFacts, 'refusal'>): LocalizedText {
  if (refusal === undefined) return message;
  const { en, ar } = reasonOf(refusal);
  const stores = refusal.stores?.join(', ');
  const into =
    stores === undefined ? { en: '', ar: '' } : { en: ` in ${stores}`, ar: ` في ${isolated(stores)}` };
  return {
    en: `${message.en} The last attempt made no copy${into.en}: ${ended(en)}`,
    ar: `${message.ar} لم تنجح آخر محاولة${into.ar}: ${ended(ar)}`,
  };
}

/** The advice for the reason, followed by the next step; `undefined` for an unknown reason. */
export function adviceOfReason(
  { refusal }: Pick<CopyFacts, 'refusal'>,
  action: HealthAction,
): LocalizedText | undefined {
  if (refusal === undefined) return undefined;
  const words = wordsFor(refusal);
  if (words !== undefined) {
    const { en, ar } = words.advice;
    return { en: `${ended(en)} Then try ${action}().`, ar: `${ended(ar)} ثم جرّب ${action}().` };
  }
  return {
    en: `Fix what the reason names (a full disk, missing rights, a store that is down); then try ${action}().`,
    ar: `أصلح ما يذكره السبب (قرص ممتلئ أو صلاحيات ناقصة أو مخزن لا يستجيب)؛ ثم جرّب ${action}().`,
  };
}

function reasonOf(refusal: ToldRefusal): LocalizedText {
  const { message, skipped } = refusal;
  const reason = wordsFor(refusal)?.reason;
  if (reason === undefined) return { en: message, ar: isolated(message) };
  const detail = skipped?.error;
  return { en: message, ar: detail === undefined ? reason : `${reason} (${isolated(detail.message)})` };
}

function wordsFor({ code, skipped }: ToldRefusal): Words | undefined {
  const isOfStores = code === 'no-space' && skipped?.stores !== undefined;
  return isOfStores ? fullStores(skipped.stores) : WORDS[code];
}

function fullStores(stores: readonly string[]): Words {
  const names = stores.join(', ');
  return {
    reason: `لا توجد مساحة لنسخة في ${isolated(names)}`,
    advice: { en: `Make room in ${names}`, ar: `أفسح مكانًا في ${isolated(names)}` },
  };
}

function ended(text: string): string {
  return /[.?!…]$/.test(text) || text.endsWith('؟') ? text : `${text}.`;
}
