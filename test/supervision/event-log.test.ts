import { describe, expect, it } from 'vitest';
import type { SessionEventName, SessionEventPayloads } from '../../src/events.js';
import { SESSION_EVENT_NAMES } from '../../src/http/contract.js';
import type { Logger } from '../../src/logger.js';
import { EventLog } from '../../src/supervision/event-log.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
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
  'restore:completed': {
    snapshot: SNAPSHOT,
    reason: 'profile-damaged',
    stateAt: '2026-11-23T05:14:09.123Z',
    ageMs: 1,
    durationMs: 2,
  },
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
  new EventLog({ logger, clientId: 'shop', clock: new ManualClock() }).note(name, payload);
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

describe('the log of what goes on for hours', () => {
  function setUp() {
    const clock = new ManualClock();
    const lines: string[] = [];
    const write = (message: string, fields?: object) =>
      void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
    const logger: Logger = { debug: write, info: write, warn: write, error: write };
    const log = new EventLog({ logger, clientId: 'shop', clock });
    const during = async (ms: number, everyMs: number, tell: () => void) => {
      for (let passed = 0; passed < ms; passed += everyMs) {
        tell();
        await clock.advance(everyMs);
      }
      return lines.splice(0);
    };
    return { log, during };
  }
  const HOUR = 3_600_000;

  it('has an attempt to come up again in an outage once, and then each 10 minutes', async () => {
    const { log, during } = setUp();
    let delayMs = 0;
    const attempt = () => {
      log.note('reconnect:scheduled', {
        attempt: 1,
        maxAttempts: 5,
        delayMs: ++delayMs,
        cause: 'network-down',
      });
      log.note('reconnect:attempted', { attempt: 1, cause: 'network-down' });
    };
    const lines = await during(HOUR, 15_000, attempt);
    expect(lines.length).toBe(2 * 6);
    expect(lines.at(-1)).toMatch(/"leftOut":39/);
    log.note('reconnect:succeeded', { attempt: 1, durationMs: 1, cause: 'network-down' });
    log.note('state:changed', { from: 'reconnecting', to: 'ready' });
    expect(await during(15_000, 15_000, attempt)).toHaveLength(4);
  });

  it('has each attempt that counts', async () => {
    const { log, during } = setUp();
    let attempt = 0;
    const lines = await during(5 * 15_000, 15_000, () =>
      log.note('reconnect:attempted', { attempt: ++attempt, cause: 'start-failed' }),
    );
    expect(lines).toHaveLength(5);
  });

  it('has a copy that fails for the same reason once, whatever figures it names, until one is taken', async () => {
    const { log, during } = setUp();
    let freeMb = 100;
    const fail = () => log.note('save:failed', { error: { code: 'STORE', message: `${freeMb--} MB free` } });
    expect(await during(HOUR, 120_000, fail)).toHaveLength(6);
    log.note('save:completed', TAKEN);
    expect(await during(120_000, 120_000, fail)).toHaveLength(2);
    const otherwise = () => log.note('save:failed', { error: ERROR });
    expect(await during(120_000, 120_000, otherwise)).toHaveLength(1);
  });

  it('has a warning that repeats each 10 minutes, and other warnings at once', async () => {
    const { log, during } = setUp();
    const warn = () => log.note('warning', { code: 'validation-failed', message: 'EIO' });
    expect(await during(HOUR, 60_000, warn)).toHaveLength(6);
    const other = () => log.note('warning', { code: 'validation-failed', message: 'EACCES' });
    expect(await during(60_000, 60_000, other)).toHaveLength(1);
  });
});
