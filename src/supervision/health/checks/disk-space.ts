import type { DiskFacts, HealthFacts } from '../facts.js';
import type { Check, Issue } from '../issue.js';
import { isolated, megabytes } from '../text.js';

const BYTES_PER_MB = 1024 * 1024;
/** Saves are refused below 16 MB, and Chromium has problems even above that. */
const FULL_BYTES = 64 * BYTES_PER_MB;
/** Enough for a capture and a zip of an ordinary session. */
const LOW_BYTES = 512 * BYTES_PER_MB;
/** A backup stores the login once in staging and once in the zip. */
const COPIES_AT_ONCE = 2;

/** Free space on the disk of the profile and on the disk of the backups. */
export const diskSpace: Check = (facts) => {
  const { session, backup } = facts.disks;
  if (session === undefined && backup === undefined) return 'unknown';
  const isOneDisk = session?.device === backup?.device;
  return [
    ...judge(facts, session, 'disk'),
    ...(isOneDisk ? [] : judge(facts, backup, 'backup-disk')), // report a common disk only once
  ];
};

function judge({ size }: HealthFacts, disk: DiskFacts | undefined, name: string): readonly Issue[] {
  if (disk === undefined) return [];
  if (disk.freeBytes < FULL_BYTES) return [full(disk, name)];
  const neededBytes = Math.max(LOW_BYTES, COPIES_AT_ONCE * (size?.essentialBytes ?? 0));
  return disk.freeBytes < neededBytes ? [low(disk, name)] : [];
}

function full({ path, freeBytes }: DiskFacts, name: string): Issue {
  return {
    code: `${name}-full`,
    severity: 'critical',
    message: {
      en: `The disk of ${path} is full (${megabytes(freeBytes, 'en')} free): saves are refused soon, and the browser may damage its data.`,
      ar: `القرص الذي عليه ${isolated(path)} ممتلئ (المتاح ${megabytes(freeBytes, 'ar')}): سيُرفض الحفظ قريبًا وقد يُتلف المتصفح بياناته.`,
    },
    advice: ADVICE,
    action: 'prune',
  };
}

function low({ path, freeBytes }: DiskFacts, name: string): Issue {
  return {
    code: `${name}-low`,
    severity: 'warning',
    message: {
      en: `Only ${megabytes(freeBytes, 'en')} are free on the disk of ${path}.`,
      ar: `لم يبقَ سوى ${megabytes(freeBytes, 'ar')} على القرص الذي عليه ${isolated(path)}.`,
    },
    advice: ADVICE,
    action: 'prune',
  };
}

const ADVICE = {
  en: 'Free some room: prune() removes what retention no longer keeps; else lower retention, or take a larger disk.',
  ar: 'أفسح مكانًا: استعمل prune() لحذف ما لم يعد مطلوبًا؛ وإلا فقلّل عدد النسخ في retention أو استعمل قرصًا أكبر.',
};
