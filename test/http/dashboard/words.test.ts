import { describe, expect, it } from 'vitest';
import type { ActionName, ActionResults } from '../../../src/http/contract.js';
import { SESSION_EVENT_NAMES } from '../../../src/http/contract.js';
import { eventWords } from '../../../src/http/dashboard/client/model/event-words.js';
import { plain } from '../../../src/http/dashboard/client/model/fill.js';
import { formatOf } from '../../../src/http/dashboard/client/model/format.js';
import type { Notice, StreamEvent } from '../../../src/http/dashboard/client/model/state.js';
import { errorText, noticeWords } from '../../../src/http/dashboard/client/model/words.js';
import { textsOf } from '../../../src/http/dashboard/client/texts/of.js';
import { report, snapshotOf } from './show-session.js';

const LANGUAGES = {
  en: { texts: textsOf('en'), format: formatOf('en') },
  ar: { texts: textsOf('ar'), format: formatOf('ar') },
};
const snapshot = snapshotOf('shop', 'backup', Date.UTC(2026, 10, 23, 5));
const error = { code: 'STORE', message: 'EIO: i/o error' };
const health = report(40, 'ready');

/** One of each. */
const EVENTS: readonly StreamEvent[] = [
  { name: 'state:changed', data: { from: 'ready', to: 'reconnecting', cause: 'browser-gone' } },
  { name: 'save:completed', data: { snapshot, durationMs: 1, bytesWritten: 1 } },
  { name: 'save:failed', data: { error } },
  { name: 'save:skipped', data: { reason: 'unchanged' } },
  { name: 'backup:completed', data: { snapshot, durationMs: 1, bytesWritten: 1 } },
  { name: 'backup:failed', data: { error } },
  { name: 'backup:skipped', data: { reason: 'no-space' } },
  { name: 'restore:started', data: { snapshot, reason: 'profile-damaged' } },
  {
    name: 'restore:completed',
    data: { snapshot, reason: 'requested', stateAt: '2026-11-23T05:14:09.123Z', ageMs: 1, durationMs: 1 },
  },
  { name: 'restore:failed', data: { error } },
  {
    name: 'corruption:detected',
    data: { where: 'profile', findings: [{ file: 'CURRENT', problem: 'empty' }] },
  },
  { name: 'reconnect:scheduled', data: { attempt: 2, maxAttempts: 5, delayMs: 9000, cause: 'network-down' } },
  { name: 'reconnect:attempted', data: { attempt: 2, cause: 'timeout' } },
  { name: 'reconnect:succeeded', data: { attempt: 2, durationMs: 9000, cause: 'timeout' } },
  { name: 'reconnect:exhausted', data: { attempts: 5, cause: 'timeout' } },
  { name: 'health:checked', data: { report: health } },
  { name: 'health:changed', data: { from: 'healthy', to: 'critical', report: health } },
  { name: 'session:revoked', data: { cause: 'phone' } },
  { name: 'session:quarantined', data: { path: '/bot/q', reason: 'damaged' } },
  { name: 'session:imported', data: { from: '/bot/old', snapshot } },
  { name: 'session:cleared', data: { snapshots: 2 } },
  { name: 'profile:pruned', data: { freedBytes: 2048, files: 3 } },
  { name: 'snapshots:pruned', data: { removed: ['a', 'b'], freedBytes: 2048 } },
  { name: 'lease:acquired', data: { owner: 'host@1', generation: 1 } },
  { name: 'lease:lost', data: { reason: 'taken' } },
  { name: 'warning', data: { code: 'storage', message: 'not on a volume' } },
];

describe('the words of an event', () => {
  it('are there for every event of the session', () => {
    expect(EVENTS.map(({ name }) => name).toSorted()).toEqual([...SESSION_EVENT_NAMES].toSorted());
    const unspoken = EVENTS.filter(({ name }) => name !== 'health:checked').filter((event) =>
      eventWords(LANGUAGES.en, event).text.includes(event.name),
    );
    expect(unspoken).toEqual([]);
  });

  it.each(['en', 'ar'] as const)('leave no place open in %s', (locale) => {
    for (const event of EVENTS) {
      const { text } = eventWords(LANGUAGES[locale], event);
      expect(text, event.name).not.toMatch(/\{\w+\}|undefined/);
      if (locale === 'ar') expect(text.replace(event.name, ''), event.name).toMatch(/[\u0600-\u06ff]/);
    }
  });

  it('show what somebody else wrote as a detail, without what turns the text', () => {
    const words = eventWords(LANGUAGES.en, {
      name: 'warning',
      data: { code: 'storage', message: 'evil \u202etxt' },
    });
    expect(words).toEqual({ tone: 'warning', text: 'Warning', detail: 'evil txt' });
  });

  it('stand for an event of a newer bot, too', () => {
    const event = { name: 'moon:landed', data: {} } as unknown as StreamEvent;
    expect(plain(eventWords(LANGUAGES.en, event).text)).toBe('Event moon:landed');
  });
});

describe('the words of a result', () => {
  const results: ActionResults = {
    initialize: { state: 'awaiting_qr' },
    clear: { state: 'idle' },
    'health-check': health,
    'send-test-message': { chatId: '201234567890@c.us' },
    backup: { snapshot },
    'force-save': { skipped: 'unchanged' },
    restore: { snapshot },
    verify: { sound: [snapshot], corrupt: [{ snapshot, error }], unread: [] },
    reconnect: { state: 'ready' },
    prune: { removedSnapshots: [], freedBytes: 2048, cacheFiles: 0 },
    destroy: { state: 'stopped' },
  };

  it.each(Object.keys(results) as ActionName[])('are there for %s in both languages', (action) => {
    const notice: Notice = { key: 1, action, outcome: { kind: 'done', result: results[action] } };
    expect(noticeWords(LANGUAGES.en, notice).text).not.toMatch(/\{\w+\}|undefined/);
    expect(noticeWords(LANGUAGES.ar, notice).text).toMatch(/[\u0600-\u06ff]/);
  });

  it('name what is damaged', () => {
    const notice: Notice = { key: 1, action: 'verify', outcome: { kind: 'done', result: results.verify } };
    expect(plain(noticeWords(LANGUAGES.en, notice).text)).toBe(`1 copy is damaged: ${snapshot.id}`);
    expect(noticeWords(LANGUAGES.en, notice).tone).toBe('critical');
  });

  it("say an error in the language, with the bot's own words as a detail", () => {
    const notice: Notice = { key: 1, action: 'backup', outcome: { kind: 'failed', error } };
    expect(noticeWords(LANGUAGES.ar, notice)).toEqual({
      tone: 'critical',
      text: 'نسخة احتياطية الآن: مخزن النسخ لا يستجيب.',
      detail: 'EIO: i/o error',
    });
  });

  it('have words for a code that they do not know', () => {
    expect(plain(errorText(LANGUAGES.en.texts, { code: 'NEW_ONE', message: '' }))).toBe(
      'It failed (NEW_ONE).',
    );
    expect(plain(errorText(LANGUAGES.en.texts, { code: 'toString', message: '' }))).toBe(
      'It failed (toString).',
    );
  });
});
