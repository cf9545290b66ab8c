import { describe, expect, it } from 'vitest';
import type { SessionEventName, SessionEventPayloads } from '../../src/events.js';
import { SESSION_EVENT_NAMES } from '../../src/http/contract.js';
import type { Logger } from '../../src/logger.js';
import { EventLog } from '../../src/supervision/event-log.js';
import type { SnapshotInfo } from '../../src/types.js';

const SNAPSHOT = { id: '20260101T000000000Z-00000000', store: 'my-nas' } as SnapshotInfo;
const ERROR = { code: 'STORE', message: 'AccessDenied' };
const TAKEN = { snapshot: SNAPSHOT, durationMs: 1, bytesWritten: 2 };
const REPORT = {
  score: 80,
  issues: [{ code: 'backup-failed', message: { en: 'The last backup failed.', ar: '' } }],
} as unknown as SessionEventPayloads['health:checked']['report'];

/** Every event with a payload. */
const EVENTS: { readonly [Name in SessionEventName]: SessionEventPayloads[Name] } = {
  'state:changed': { from: 'ready', to: 'reconnecting', cause: 'browser-gone' },
  'save:completed': TAKEN,
  'save:failed': { error: ERROR, stores: ['my-nas'] },
  'save:skipped': { reason: 'unsound', error: ERROR },
  'backup:completed': TAKEN,
  'backup:failed': { error: ERROR },
  'backup:skipped': { reason: 'no-space', error: ERROR, stores: ['my-nas'] },
  'restore:started': { snapshot: SNAPSHOT, reason: 'profile-damaged' },
  'restore:completed': { snapshot: SNAPSHOT, reason: 'profile-damaged', ageMs: 1, durationMs: 2 },
  'restore:failed': { error: ERROR, snapshot: SNAPSHOT },
  'corruption:detected': { where: 'profile', findings: [{ file: 'Default', problem: 'it is empty' }] },
  'reconnect:scheduled': { attempt: 1, maxAttempts: 5, delayMs: 1, cause: 'browser-gone' },
  'reconnect:attempted': { attempt: 1, cause: 'browser-gone' },
  'reconnect:succeeded': { attempt: 1, durationMs: 1, cause: 'browser-gone' },
  'reconnect:exhausted': { attempts: 5, cause: 'browser-gone', error: ERROR },
  'health:checked': { report: REPORT },
  'health:changed': { from: 'healthy', to: 'warning', report: REPORT },
  'session:revoked': { cause: 'phone' },
  'session:quarantined': { path: '/quarantine/1', reason: 'profile-damaged' },
  'session:imported': { from: '/old', snapshot: SNAPSHOT },
  'session:cleared': { snapshots: 3 },
  'profile:pruned': { freedBytes: 1, files: 2 },
  'snapshots:pruned': { removed: [SNAPSHOT.id], freedBytes: 1 },
  'lease:acquired': { owner: 'host', generation: 1 },
  'lease:lost': { reason: 'another process took it over' },
  warning: { code: 'storage', message: 'the folder is not mounted' },
};

type Written = readonly [level: string, message: string, fields: unknown];

function written<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): Written[] {
  const lines: Written[] = [];
  const write = (level: string) => (message: string, fields?: object) => lines.push([level, message, fields]);
  const logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  } as unknown as Logger;
  new EventLog({ logger, clientId: 'shop' }).note(name, payload);
  return lines;
}

describe('the log of the events', () => {
  it.each(SESSION_EVENT_NAMES.filter((name) => name !== 'health:checked'))('has one line for %s', (name) => {
    const [line, ...more] = written(name, EVENTS[name]);
    expect(line).toEqual([
      expect.stringMatching(/^(debug|info|warn|error)$/),
      expect.stringMatching(/./),
      expect.objectContaining({ clientId: 'shop' }),
    ]);
    expect(more).toEqual([]);
  });

  it('has none for each look at the health, only for what has changed in it', () => {
    expect(written('health:checked', EVENTS['health:checked'])).toEqual([]);
    const issues = [{ code: 'backup-failed', message: 'The last backup failed.' }];
    const fields = { clientId: 'shop', from: 'healthy', score: 80, issues };
    expect(written('health:changed', EVENTS['health:changed'])).toEqual([
      ['warn', 'the health is warning', fields],
    ]);
  });

  it.each([
    ['save:failed', 'error', 'AccessDenied'],
    ['backup:failed', 'error', 'AccessDenied'],
    ['backup:skipped', 'warn', 'my-nas'],
    ['save:skipped', 'warn', 'unsound'],
    ['restore:failed', 'error', 'AccessDenied'],
    ['restore:completed', 'info', SNAPSHOT.id],
    ['corruption:detected', 'error', 'it is empty'],
    ['reconnect:exhausted', 'warn', 'AccessDenied'],
    ['state:changed', 'warn', 'browser-gone'],
    ['warning', 'warn', 'the folder is not mounted'],
    ['lease:lost', 'error', 'another process took it over'],
  ] as const)('tells %s as %s, with what it is about', (name, level, words) => {
    const [line] = written(name, EVENTS[name]);
    expect(line?.[0]).toBe(level);
    expect(JSON.stringify(line)).toContain(words);
  });

  it('does not cry over a copy that is up to date, or that a stop came between', () => {
    expect(written('save:skipped', { reason: 'unchanged' })[0]?.[0]).toBe('debug');
    expect(written('save:failed', { error: { code: 'CLOSED', message: 'stopped' } })[0]?.[0]).toBe('info');
  });
});
