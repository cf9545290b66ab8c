import { isUp } from '../../../state.js';
import type { HealthFacts } from '../facts.js';
import type { Check, Issue } from '../issue.js';

/** Whether the essential files exist and are sound. */
export const profile: Check = (facts) => {
  if (facts.profile === undefined) return 'unknown';
  const { verdict, isSettled } = facts.profile;
  if (verdict === 'sound') return [];
  // One half of a new login reaches the disk later than the other. That is no damage (docs/chromium-facts.md F1.5).
  if (isUp(facts.state) && !isSettled) return 'unknown';
  if (verdict === 'corrupt') return [damaged(facts)];
  if (verdict === 'suspect') return [suspect(facts)];
  return facts.hasLogin ? [missing(facts)] : 'unknown'; // without a login, nothing is missing
};

function damaged(facts: HealthFacts): Issue {
  return {
    code: 'profile-damaged',
    severity: 'critical',
    message: {
      en: "The profile's databases are damaged: the next start would ask for a QR.",
      ar: 'قواعد بيانات ملف التعريف تالفة: سيطلب التشغيل التالي رمز QR.',
    },
    ...howToRestore(facts),
  };
}

function suspect({ state }: HealthFacts): Issue {
  return {
    code: 'profile-suspect',
    severity: 'warning',
    message: {
      en: 'The profile is whole, but holds less than it should; it is not saved in this condition.',
      ar: 'ملف التعريف سليم البنية لكنه ينقصه بعض ما يجب أن يحتويه، ولا يُحفظ وهو على هذه الحال.',
    },
    advice: {
      en: 'If this stays, restart in order: the profile is checked before the start and restored if need be.',
      ar: 'إن استمر ذلك فأعد التشغيل: يُفحص ملف التعريف قبل التشغيل وتُستعاد نسخة عند الحاجة.',
    },
    ...(isUp(state) && { action: 'reconnect' }),
  };
}

function missing(facts: HealthFacts): Issue {
  return {
    code: 'profile-missing',
    severity: isUp(facts.state) ? 'critical' : 'warning',
    message: {
      en: 'The essential files of the login are not on the disk.',
      ar: 'الملفات الأساسية لتسجيل الدخول غير موجودة على القرص.',
    },
    ...howToRestore(facts),
  };
}

function howToRestore({ saves, backups }: HealthFacts): Pick<Issue, 'advice' | 'action'> {
  if (saves.last === undefined && backups.last === undefined) {
    return {
      advice: {
        en: 'There is no snapshot of this login. Do not stop the bot before you can scan a QR again.',
        ar: 'لا توجد نسخة من تسجيل الدخول هذا. لا توقف البوت قبل أن تستطيع مسح رمز QR من جديد.',
      },
    };
  }
  return {
    advice: {
      en: 'Put the last sound snapshot in place with restore().',
      ar: 'استعد آخر نسخة سليمة عبر restore().',
    },
    action: 'restore',
  };
}
