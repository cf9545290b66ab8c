import type { HealthAction, LocalizedText } from '../../../health.js';
import { isUp } from '../../../state.js';
import { adviceOfReason, withReason } from '../copy-reason.js';
import type { CopyFacts, HealthFacts, SilentStore } from '../facts.js';
import type { Check, Issue, Judgement } from '../issue.js';
import { duration, isolated } from '../text.js';
import { threadStopped } from '../thread-stopped.js';

/** A copy is overdue after this many intervals without one. */
const OVERDUE_AFTER_INTERVALS = 3;
/** The first save comes within seconds of `ready`, the first backup once Local Storage is on the disk (90 s at most). */
const FIRST_COPY_AFTER_MS = 120_000;

/** Age and verified state of the last save. */
export const lastSave: Check = (facts) => judge(facts, facts.saves, facts.limits.saveIntervalMs, SAVE);

/** Existence, age and verified state of the last backup. */
export const lastBackup: Check = (facts) =>
  judge(facts, facts.backups, facts.limits.backupIntervalMs, BACKUP);

/** The reasons why stores can't be listed. The worker thread is one for all of them, and told once. */
function unlisted(facts: HealthFacts, { unreachable: all }: CopyFacts, kind: Kind): Issue[] {
  const stores = all.filter(({ isOfThread }) => isOfThread !== true);
  const thread = all.find(({ isOfThread }) => isOfThread === true);
  const isTold = kind === BACKUP && facts.saves.unreachable.some(({ isOfThread }) => isOfThread === true);
  return [
    ...(stores.length > 0 ? [unreachable(stores, kind)] : []),
    ...(thread !== undefined && !isTold ? [threadStopped(thread)] : []),
  ];
}

interface Kind {
  readonly name: 'save' | 'backup';
  readonly action: HealthAction;
  readonly noun: LocalizedText;
  readonly none: LocalizedText;
  readonly failed: LocalizedText;
  readonly silentStore: LocalizedText;
  readonly failingStore: LocalizedText;
}

const SAVE: Kind = {
  name: 'save',
  action: 'forceSave',
  noun: { en: 'save', ar: 'نسخة محفوظة' },
  none: {
    en: 'There is no save of this login yet.',
    ar: 'لا توجد أي نسخة محفوظة لتسجيل الدخول هذا بعد.',
  },
  failed: { en: 'The last save failed.', ar: 'فشلت آخر عملية حفظ.' },
  silentStore: { en: 'The store of the saves does not answer', ar: 'مخزن النسخ المحفوظة لا يستجيب' },
  failingStore: { en: 'The store of the saves answers with an error', ar: 'مخزن النسخ المحفوظة يرد بخطأ' },
};

const BACKUP: Kind = {
  name: 'backup',
  action: 'backup',
  noun: { en: 'backup', ar: 'نسخة احتياطية' },
  none: {
    en: 'There is no backup of this login yet.',
    ar: 'لا توجد أي نسخة احتياطية لتسجيل الدخول هذا بعد.',
  },
  failed: { en: 'The last backup failed.', ar: 'فشلت آخر عملية نسخ احتياطي.' },
  silentStore: { en: 'A store of the backups does not answer', ar: 'مخزن للنسخ الاحتياطية لا يستجيب' },
  failingStore: { en: 'A store of the backups answers with an error', ar: 'مخزن للنسخ الاحتياطية يرد بخطأ' },
};

function judge(facts: HealthFacts, copies: CopyFacts, intervalMs: number, kind: Kind): Judgement {
  const issues = unlisted(facts, copies, kind);
  // Copying needs a ready session; otherwise there is no call to offer.
  const action = facts.state === 'ready' ? kind.action : undefined;
  if (copies.last === undefined) {
    const isKnown = copies.count !== undefined && facts.hasLogin;
    const isDue = facts.upMs === undefined || facts.upMs >= FIRST_COPY_AFTER_MS;
    if (isKnown && isDue) return [...issues, missing(copies, kind, action)];
    if (copies.hasFailed) issues.push(failed(copies, kind, action));
    return issues.length > 0 ? issues : 'unknown';
  }
  const { isCorrupt, isVerified } = copies.last;
  if (isCorrupt) issues.push(corrupt(kind, action));
  else if (!isVerified && hasHadTimeToCopy(facts, intervalMs)) issues.push(unverified(kind, action));
  if (copies.hasFailed) issues.push(failed(copies, kind, action));
  const lateMs = overdueMs(facts, copies, intervalMs);
  if (lateMs !== undefined) issues.push(overdue(copies, kind, lateMs, action));
  return issues;
}

/** A copy of an earlier process was verified when it was made. This process confirms it with its next copy. */
function hasHadTimeToCopy({ upMs }: HealthFacts, intervalMs: number): boolean {
  return upMs !== undefined && upMs >= Math.max(FIRST_COPY_AFTER_MS, intervalMs);
}

/** How long no copy was taken, if that is too long. While the session is down, nothing changes that needs saving. */
function overdueMs({ state, upMs }: HealthFacts, copies: CopyFacts, intervalMs: number): number | undefined {
  if (!isUp(state) || upMs === undefined || intervalMs === 0) return undefined;
  const sinceMs = Math.min(upMs, copies.confirmedAgeMs ?? upMs);
  return sinceMs > OVERDUE_AFTER_INTERVALS * intervalMs ? (copies.confirmedAgeMs ?? sinceMs) : undefined;
}

function missing(copies: CopyFacts, { name, none, action }: Kind, runnable: HealthAction | undefined): Issue {
  return {
    code: `${name}-missing`,
    severity: 'warning',
    message: withReason(none, copies),
    advice: adviceOfReason(copies, action) ?? {
      en: `Take one with ${action}(); if it is skipped or fails, its result says why.`,
      ar: `خذ واحدة الآن عبر ${action}()؛ وإن لم تتم فالنتيجة تذكر السبب.`,
    },
    action: runnable,
  };
}

function overdue(
  copies: CopyFacts,
  { name, noun, action }: Kind,
  ageMs: number,
  runnable: HealthAction | undefined,
): Issue {
  const message = {
    en: `The last ${noun.en} is ${duration(ageMs, 'en')} old, more than ${OVERDUE_AFTER_INTERVALS} intervals.`,
    ar: `مضى على آخر ${noun.ar} ${duration(ageMs, 'ar')}، أي أكثر من ${OVERDUE_AFTER_INTERVALS} فترات.`,
  };
  return {
    code: `${name}-overdue`,
    severity: 'warning',
    message: withReason(message, copies),
    advice: adviceOfReason(copies, action) ?? {
      en: `Take one with ${action}(), and look at the events ${name}:skipped and ${name}:failed.`,
      ar: `خذ واحدة عبر ${action}()، وانظر إلى الحدثين ${isolated(`${name}:skipped`)} و${isolated(`${name}:failed`)}.`,
    },
    action: runnable,
  };
}

function failed(
  copies: CopyFacts,
  { name, failed: message, action }: Kind,
  runnable: HealthAction | undefined,
): Issue {
  return {
    code: `${name}-failed`,
    severity: 'warning',
    message: withReason(message, copies),
    advice: adviceOfReason(copies, action) ?? {
      en: `The event ${name}:failed says why (a full disk, a store that is down); then try ${action}().`,
      ar: `يذكر الحدث ${isolated(`${name}:failed`)} السبب (قرص ممتلئ أو مخزن لا يستجيب)؛ ثم جرّب ${action}().`,
    },
    action: runnable,
  };
}

function unverified({ name, noun, action }: Kind, runnable: HealthAction | undefined): Issue {
  return {
    code: `${name}-unverified`,
    severity: 'warning',
    message: {
      en: `The last ${noun.en} is of an earlier run, and was not compared with its checksums since.`,
      ar: `آخر ${noun.ar} تعود إلى تشغيل سابق، ولم تُقارَن ببصماتها منذ ذلك الحين.`,
    },
    advice: {
      en: `Use verify(), or take a new one with ${action}(): each is verified when it is made.`,
      ar: `استعمل verify()، أو خذ واحدة جديدة عبر ${action}()؛ فكل نسخة تُفحص عند إنشائها.`,
    },
    action: runnable,
    isAdvice: true,
  };
}

function corrupt({ name, noun, action }: Kind, runnable: HealthAction | undefined): Issue {
  return {
    code: `${name}-corrupt`,
    severity: 'warning',
    message: {
      en: `The last ${noun.en} was found damaged; an older one would be restored instead.`,
      ar: `تبيّن أن آخر ${noun.ar} تالفة؛ وعند الاستعادة ستُستعمل نسخة أقدم.`,
    },
    advice: {
      en: `Take a new one with ${action}(), and check the disk or store it lay in.`,
      ar: `خذ واحدة جديدة عبر ${action}()، وافحص القرص أو المخزن الذي كانت فيه.`,
    },
    action: runnable,
  };
}

function unreachable(stores: readonly SilentStore[], { name, silentStore, failingStore }: Kind): Issue {
  const why = stores.every(({ error }) => error !== undefined) ? failingStore : silentStore;
  const inWords = (store: SilentStore, language: 'en' | 'ar') => {
    const { error, forMs } = store;
    const shown = language === 'en' ? store.name : isolated(store.name);
    const reason =
      error === undefined ? '' : `: ${language === 'en' ? error.message : isolated(error.message)}`;
    return `${shown} (${duration(forMs, language)})${reason}`;
  };
  return {
    code: `${name}-store-unreachable`,
    severity: 'warning',
    message: {
      en: `${why.en}: ${stores.map((store) => inWords(store, 'en')).join(', ')}.`,
      ar: `${why.ar}: ${stores.map((store) => inWords(store, 'ar')).join('، ')}.`,
    },
    advice: stores.some(({ isDenied }) => isDenied) ? OF_RIGHTS : OF_NETWORK,
  };
}

const OF_RIGHTS: LocalizedText = {
  en: 'Give the user that the bot runs as the right to read and write it (chown). Nothing in it counts as lost.',
  ar: 'امنح المستخدم الذي يعمل به البوت حق القراءة والكتابة فيه (chown). ما فيه لا يُعدّ مفقودًا.',
};

const OF_NETWORK: LocalizedText = {
  en: 'Check its address, its credentials and the network. Nothing in it counts as lost.',
  ar: 'تحقّق من عنوانه وبيانات الدخول إليه ومن الشبكة. ما فيه لا يُعدّ مفقودًا.',
};
