import type { Check, Issue } from '../issue.js';
import { isolated } from '../text.js';

/** Whether saves and backups survive a redeploy (docs/chromium-facts.md F4.1) and are on two disks. */
export const storage: Check = ({ storage: outlook }) => {
  if (outlook === undefined) return 'unknown';
  const { isSessionEphemeral, isBackupEphemeral, isSameDisk, mayOverlap, hidesSignal } = outlook;
  const issues = [
    ...(isSessionEphemeral ? [ephemeral('session', outlook.sessionPath)] : []),
    ...(isBackupEphemeral ? [ephemeral('backup', outlook.backupPath)] : []),
    ...(mayOverlap ? [REPLICAS] : []),
    ...(isSameDisk ? [SAME_DISK] : []),
    ...(hidesSignal ? [SIGNAL_HIDDEN] : []),
  ];
  const isKnown = [isSessionEphemeral, isBackupEphemeral, isSameDisk].some((known) => known !== undefined);
  return isKnown || issues.length > 0 ? issues : 'unknown';
};

function ephemeral(what: 'session' | 'backup', path: string): Issue {
  const variable = what === 'session' ? 'SESSION_PATH' : 'BACKUP_SESSION_PATH';
  return {
    code: `${what}-ephemeral`,
    severity: 'warning',
    message: {
      en: `${what}Path ${path} does not outlive a redeploy or a restart of the machine.`,
      ar: `ما في المجلد ${isolated(`${what}Path ${path}`)} يضيع عند إعادة النشر أو إعادة تشغيل الجهاز.`,
    },
    advice: {
      en: `Mount a volume and put ${what}Path (${variable}) on it, or use a remote store.`,
      ar: `اربط قرصًا دائمًا (volume) وضع عليه ${isolated(`${what}Path (${variable})`)}، أو استعمل مخزنًا بعيدًا.`,
    },
  };
}

const REPLICAS: Issue = {
  code: 'replicas',
  severity: 'warning',
  message: {
    en: 'On this platform an old and a new instance may run at once, and no lease keeps them apart.',
    ar: 'قد تعمل على هذه المنصة نسختان من البوت في وقت واحد، ولا شيء يمنع تضاربهما.',
  },
  advice: {
    en: 'Run one instance, and mount a volume for sessionPath (SESSION_PATH): both then share the lease.',
    ar: `شغّل نسخة واحدة، واربط قرصًا دائمًا لـ ${isolated('sessionPath (SESSION_PATH)')} كي تتشارك النسختان القفل نفسه.`,
  },
};

const SAME_DISK: Issue = {
  code: 'same-disk',
  severity: 'warning',
  message: {
    en: 'Saves and backups are on one disk: if it fails, both are lost.',
    ar: 'الحفظ والنسخ الاحتياطية على قرص واحد: إذا تعطّل ضاع الاثنان.',
  },
  advice: {
    en: 'Put backupPath (BACKUP_SESSION_PATH) on another disk, or add a remote backupStore.',
    ar: `ضع ${isolated('backupPath (BACKUP_SESSION_PATH)')} على قرص آخر، أو أضف مخزنًا بعيدًا في backupStore.`,
  },
  isAdvice: true,
};

const SIGNAL_HIDDEN: Issue = {
  code: 'signal-hidden',
  severity: 'warning',
  message: {
    en: 'npm keeps the stop signal from the bot: its last save before a redeploy is lost.',
    ar: 'يحجب npm إشارة الإيقاف عن البوت، فيضيع آخر حفظ قبل إعادة النشر.',
  },
  advice: {
    en: 'Start the bot with "node <file>" itself.',
    ar: `شغّل البوت مباشرة بالأمر ${isolated('node <file>')}.`,
  },
  isAdvice: true,
};
