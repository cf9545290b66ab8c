import type { StartWait } from '../../../start-waits.js';
import type { Issue } from '../issue.js';
import { duration, isolated } from '../text.js';

/** The issue of a start that waits: what for, how long at most, and what can be done. */
export function startWaits(wait: StartWait): Issue {
  const { message, advice } = inArabic(wait);
  return {
    code: 'start-waits',
    severity: 'warning',
    message: { en: wait.message, ar: message },
    advice: { en: wait.advice, ar: advice },
  };
}

function inArabic({ what, maxMs = 0 }: StartWait): { readonly message: string; readonly advice: string } {
  const most = `${duration(maxMs, 'ar')} على الأكثر`;
  switch (what.kind) {
    case 'lease': {
      const { holder } = what;
      const who = holder
        ? `العملية ${holder.pid} على المضيف ${isolated(holder.host)}`
        : 'عملية غير معروفة (تتعذّر قراءة ملف ملكيتها)';
      return {
        message: `تنتظر الجلسة ${most} ليتبيّن هل ما زالت الجلسة لدى ${who}.`,
        advice:
          'إن كانت تلك العملية قد انتهت، مع حاويتها مثلًا، فلا حاجة إلى شيء: تستمر تلقائيًا. ' +
          'وإن كانت تعمل فأوقفها، لأن الجلسة لا تعمل إلا مرة واحدة.',
      };
    }
    case 'session':
      return {
        message: `تنتظر الجلسة ${most} حتى تترك جلسة أخرى في هذه العملية (${isolated(`pid ${process.pid}`)}) ملف التعريف.`,
        advice: 'لا حاجة إلى شيء: تلك الجلسة قيد الإغلاق، ثم تستمر تلقائيًا.',
      };
    case 'hold':
      return {
        message: `تنتظر الجلسة ${most} حتى تسجّل المخازن أن تسجيل الدخول الخاص بملف تعريف محذوف لا يُستعاد تلقائيًا.`,
        advice: 'تستمر تلقائيًا؛ وإن تكرر ذلك فتحقّق من أقراص المخازن.',
      };
    case 'browser':
      return {
        message: `تنتظر الجلسة ${most} حتى ينتهي متصفح تركته عملية أُنهيت قسرًا (${isolated(`pid ${what.pid}`)}).`,
        advice: 'لا حاجة إلى شيء: تستمر تلقائيًا.',
      };
    case 'disk':
      return {
        message: `تنتظر الجلسة ${most} حتى يجيب القرص الذي فيه ${what.folders.map(isolated).join(' أو ')}.`,
        advice: 'تحقّق من ذلك القرص: إنه معلّق، أو مجلد شبكة مفقود.',
      };
    case 'call':
      return {
        message: `تنتظر الجلسة انتهاء ${isolated('restore()')} أو ${isolated('importSession()')} أو ${isolated('clear()')} الذي استُدعي قبل التشغيل.`,
        advice: 'تستمر تلقائيًا؛ ويؤخّرها مخزن بطيء أو معلّق.',
      };
    case 'turn':
      return {
        message: `تنتظر الجلسة ${most} لأن آخر تشغيل فشل، ولا يجوز أن يليه آخر فورًا.`,
        advice: 'تستمر تلقائيًا؛ وعالج في هذه الأثناء سبب الفشل.',
      };
  }
}
