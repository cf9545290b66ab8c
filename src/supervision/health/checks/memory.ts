import type { MemoryFacts } from '../facts.js';
import type { Check, Issue } from '../issue.js';
import { megabytes, percent } from '../text.js';

/** Shares of the limit. In the last few percent, the kernel kills a process that asks for memory, often Chromium. */
const CRITICAL_SHARE = 0.95;
const WARNING_SHARE = 0.8;

/** Compares the memory of node and all of Chromium's processes with their common limit. */
export const memory: Check = ({ memory: facts }) => {
  const { limitBytes, browser } = facts;
  if (limitBytes === undefined || limitBytes <= 0) return 'unknown';
  const usedBytes = usedTogether(facts);
  const share = usedBytes / limitBytes;
  if (share >= CRITICAL_SHARE) return [high('memory-critical', 'critical', usedBytes, facts, limitBytes)];
  if (share >= WARNING_SHARE) return [high('memory-high', 'warning', usedBytes, facts, limitBytes)];
  return browser === undefined ? 'unknown' : [];
};

function usedTogether({ nodeRssBytes, browser }: MemoryFacts): number {
  return nodeRssBytes + browserBytes(browser);
}

function browserBytes(browser: MemoryFacts['browser']): number {
  return browser === undefined || browser === 'none' ? 0 : browser.bytes;
}

function high(
  code: string,
  severity: Issue['severity'],
  usedBytes: number,
  { nodeRssBytes, browser }: MemoryFacts,
  limitBytes: number,
): Issue {
  const ofBrowser = browserBytes(browser);
  const tell = (language: 'en' | 'ar') => ({
    used: megabytes(usedBytes, language),
    limit: megabytes(limitBytes, language),
    share: percent(usedBytes / limitBytes, language),
    node: megabytes(nodeRssBytes, language),
    chromium: megabytes(ofBrowser, language),
  });
  const en = tell('en');
  const ar = tell('ar');
  return {
    code,
    severity,
    message: {
      en: `Memory is short: ${en.used} of ${en.limit} (${en.share}) are used, ${en.node} by node and ${en.chromium} by Chromium.`,
      ar: `الذاكرة توشك على النفاد: المستعمل ${ar.used} من ${ar.limit} (${ar.share})، منها ${ar.node} لـ node و${ar.chromium} لـ Chromium.`,
    },
    ...(ofBrowser >= nodeRssBytes ? RESTART_BROWSER : LOOK_AT_BOT),
  };
}

const RESTART_BROWSER = {
  advice: {
    en: 'reconnect() starts Chromium afresh, which gives memory back; if it comes again, take a larger container.',
    ar: 'استعمل reconnect() لتشغيل متصفح Chromium من جديد فتتحرر الذاكرة؛ وإن تكرر ذلك فاستعمل حاوية أكبر.',
  },
  action: 'reconnect',
} as const;

const LOOK_AT_BOT = {
  advice: {
    en: 'Most of it is the bot itself: look for what it keeps, or take a larger container.',
    ar: 'معظمها يستعمله البوت نفسه: ابحث عمّا يحتفظ به في الذاكرة، أو استعمل حاوية أكبر.',
  },
} as const;
