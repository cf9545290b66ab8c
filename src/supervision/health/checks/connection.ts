import { isLoggedOutState } from '../../../client/page-probe.js';
import { isUp } from '../../../state.js';
import type { HealthFacts } from '../facts.js';
import type { Check, Issue } from '../issue.js';
import { isolated } from '../text.js';
import { startWaits } from './start-waits.js';

/** Whether the page answers and reports CONNECTED; otherwise, what the session does instead. */
export const connection: Check = (facts) => {
  if (!isUp(facts.state)) {
    if (facts.waiting !== undefined && facts.state !== 'stopping')
      return [withReason(startWaits(facts.waiting), facts.lastError)];
    if (facts.decision !== undefined && facts.state === 'awaiting_qr')
      return [restoreRejected(facts.decision)];
    return [withReason(withOlderCopy(notUp(facts.state), facts.olderCopy), facts.lastError)];
  }
  const { probe } = facts;
  if (probe === undefined) return 'unknown'; // the session became ready while the other facts were read
  if (!probe.answered) return [UNRESPONSIVE];
  if (isLoggedOutState(probe.state)) return [LOGGED_OUT];
  return probe.state === 'CONNECTED' ? [] : [notConnected(probe.state ?? '–')];
};

function notUp(state: HealthFacts['state']): Issue {
  switch (state) {
    case 'awaiting_qr':
      return AWAITING_QR;
    case 'reconnecting':
      return RECONNECTING;
    case 'failed':
      return FAILED;
    case 'idle':
    case 'stopped':
      return { ...NOT_STARTED, action: 'initialize' };
    case 'stopping':
      return NOT_STARTED;
    default:
      return STARTING;
  }
}

/** Adds the error of the last start or of a stop without a call. Otherwise it would be in the log at most. */
function withReason(issue: Issue, error: HealthFacts['lastError']): Issue {
  if (error === undefined || issue.code === 'awaiting-qr') return issue;
  const { en, ar } = issue.message;
  return {
    ...issue,
    message: { en: `${en} Last error: ${error.message}`, ar: `${ar} آخر خطأ: ${isolated(error.message)}` },
  };
}

/** Suggests an older copy: when starts fail although WhatsApp is reachable, the profile may be the cause. */
function withOlderCopy(issue: Issue, id: string | undefined): Issue {
  if (id === undefined || (issue !== RECONNECTING && issue !== FAILED)) return issue;
  const call = isolated(`restore("${id}")`);
  return {
    ...issue,
    advice: {
      en: `WhatsApp is reached, and the session does not become ready: restore("${id}") tries an older copy. ${issue.advice.en}`,
      ar: `يمكن الوصول إلى واتساب لكن الجلسة لا تصبح جاهزة: جرّب نسخة أقدم عبر ${call}. ${issue.advice.ar}`,
    },
  };
}

function restoreRejected(id: string): Issue {
  return {
    code: 'restore-rejected',
    severity: 'warning',
    message: {
      en: 'WhatsApp does not accept the login that restore() or importSession() has put in place; the one before it may be of another account.',
      ar: 'لا يقبل واتساب تسجيل الدخول الذي وضعه restore() أو importSession()، وقد يكون السابق لحساب آخر.',
    },
    advice: {
      en: `Decide: restore("${id}") brings the login before it back; or scan the QR with the phone of the right account.`,
      ar: `القرار لك: ${isolated(`restore("${id}")`)} يعيد تسجيل الدخول السابق، أو امسح رمز QR بهاتف الحساب الصحيح.`,
    },
  };
}

const NOT_STARTED: Issue = {
  code: 'not-started',
  severity: 'warning',
  message: { en: 'The session is not running.', ar: 'الجلسة متوقفة ولا تعمل الآن.' },
  advice: { en: 'Start it with initialize().', ar: 'شغّلها عبر initialize().' },
};

const STARTING: Issue = {
  code: 'starting',
  severity: 'warning',
  message: { en: 'The session is starting and not connected yet.', ar: 'الجلسة قيد التشغيل ولم تتصل بعد.' },
  advice: {
    en: 'Wait a moment: a start that hangs is retried automatically.',
    ar: 'انتظر قليلًا؛ فإذا تعثّر التشغيل أُعيدت المحاولة تلقائيًا.',
  },
};

const AWAITING_QR: Issue = {
  code: 'awaiting-qr',
  severity: 'warning',
  message: {
    en: 'A QR or pairing code waits for the phone.',
    ar: 'رمز QR (أو رمز الربط) جاهز وينتظر الهاتف.',
  },
  advice: {
    en: 'Open WhatsApp on the phone, then Linked devices, and scan it.',
    ar: 'افتح واتساب على الهاتف، ثم «الأجهزة المرتبطة»، وامسح الرمز.',
  },
};

const RECONNECTING: Issue = {
  code: 'reconnecting',
  severity: 'critical',
  message: {
    en: 'The session is not connected; it is being brought up again.',
    ar: 'الجلسة غير متصلة، وتجري محاولة تشغيلها من جديد.',
  },
  advice: {
    en: 'It reconnects automatically; reconnect() does not wait for the next attempt.',
    ar: 'ستعود تلقائيًا؛ ولئلا تنتظر المحاولة التالية استعمل reconnect().',
  },
  action: 'reconnect',
};

const FAILED: Issue = {
  code: 'failed',
  severity: 'critical',
  message: {
    en: 'The session could not be brought up and has given up. Everything is kept.',
    ar: 'تعذّر تشغيل الجلسة وتوقفت المحاولات. كل البيانات محفوظة.',
  },
  advice: {
    en: 'Fix the cause (the last error names it), then use reconnect().',
    ar: 'عالج السبب (يذكره آخر خطأ)، ثم استعمل reconnect().',
  },
  action: 'reconnect',
};

const UNRESPONSIVE: Issue = {
  code: 'unresponsive',
  severity: 'critical',
  message: {
    en: "WhatsApp's page does not answer: it hangs or is dead, whatever its last state was.",
    ar: 'صفحة واتساب لا تستجيب: إنها معلّقة أو متوقفة مهما كانت حالتها الأخيرة.',
  },
  advice: {
    en: 'After two timed checks without an answer it is reconnected automatically; reconnect() does it now.',
    ar: 'بعد فحصين دوريين بلا رد يُعاد الاتصال تلقائيًا؛ وللقيام بذلك فورًا استعمل reconnect().',
  },
  action: 'reconnect',
};

const LOGGED_OUT: Issue = {
  code: 'logged-out',
  severity: 'critical',
  message: {
    en: 'The page says that it is not logged in.',
    ar: 'تقول صفحة واتساب إن تسجيل الدخول غير موجود.',
  },
  advice: {
    en: 'reconnect() checks the profile, restores it if that helps, and otherwise shows a QR.',
    ar: 'استعمل reconnect() لفحص ملف التعريف واستعادة نسخة إن كان ذلك مفيدًا، وإلا عُرض رمز QR.',
  },
  action: 'reconnect',
};

function notConnected(state: string): Issue {
  return {
    code: 'not-connected',
    severity: 'warning',
    message: {
      en: `The page answers, but is not connected to WhatsApp (${state}).`,
      ar: `الصفحة تستجيب لكنها غير متصلة بواتساب (${isolated(state)}).`,
    },
    advice: {
      en: "Check the machine's network and the phone; reconnect() starts the client afresh.",
      ar: 'تحقّق من شبكة الخادم ومن الهاتف؛ ولتشغيل العميل من جديد استعمل reconnect().',
    },
    action: 'reconnect',
  };
}
