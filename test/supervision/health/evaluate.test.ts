import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HealthAction } from '../../../src/health.js';
import { adviceWords } from '../../../src/http/dashboard/client/model/advice.js';
import { textsOf } from '../../../src/http/dashboard/client/texts/of.js';
import type { StartWait, WaitedFor } from '../../../src/start-waits.js';
import type { SessionState } from '../../../src/state.js';
import { evaluate } from '../../../src/supervision/health/evaluate.js';
import type { CopyFacts, HealthFacts, LastCopy } from '../../../src/supervision/health/facts.js';
import { POINTS } from '../../../src/supervision/health/points.js';
import { HEALTHY, UNKNOWN } from './healthy-facts.js';

const MB = 1024 * 1024;
const NO_COPY = { count: 0, bytes: 0, last: undefined, confirmedAgeMs: undefined };

type Row = readonly [
  code: string,
  change: Partial<HealthFacts>,
  severity: 'warning' | 'critical',
  action?: HealthAction,
];

const silent = (name: string) => ({ name, forMs: 90_000 });
const ofThread = (name: string) => ({
  ...silent(name),
  isOfThread: true,
  error: { code: 'INTERNAL', message: 'the worker thread stopped while it worked' },
});

const copies = (of: 'saves' | 'backups', change: Partial<CopyFacts>): Partial<HealthFacts> => ({
  [of]: { ...HEALTHY[of], ...change },
});
const last = (of: 'saves' | 'backups', change: Partial<LastCopy>): Partial<HealthFacts> =>
  copies(of, { last: { ...(HEALTHY[of].last as LastCopy), ...change } });
const storage = (change: object) => ({ storage: { ...HEALTHY.storage, ...change } }) as Partial<HealthFacts>;
const disk = (of: 'session' | 'backup', freeBytes: number) =>
  ({ disks: { ...HEALTHY.disks, [of]: { ...HEALTHY.disks[of], freeBytes } } }) as Partial<HealthFacts>;
const size = (totalBytes: number, essentialBytes: number) =>
  ({ size: { ...HEALTHY.size, totalBytes, essentialBytes } }) as Partial<HealthFacts>;
const down = (state: SessionState): Partial<HealthFacts> => ({ state, upMs: undefined, probe: undefined });
const waitFor = (what: WaitedFor): StartWait => ({
  ...{ what, message: 'It waits.', advice: 'Wait.' },
  ...{ since: 0, maxMs: 30_000 },
});
const page = (answered: boolean, state?: string): Partial<HealthFacts> => ({
  probe: { answered, state, durationMs: 5 },
});

const STORE_LEASE = { store: 'postgres', isLost: false, provenAgoMs: 15_000, takeoverMs: 30_000 };

/** Every code, what it takes to see it alone, how grave it is, and what can be run about it. */
const ROWS: readonly Row[] = [
  ['not-started', down('idle'), 'warning', 'initialize'],
  ['not-started', down('stopped'), 'warning', 'initialize'],
  ['not-started', down('stopping'), 'warning'],
  ['start-waits', { ...down('idle'), waiting: waitFor({ kind: 'turn' }) }, 'warning'],
  ['start-waits', { ...down('restoring'), waiting: waitFor({ kind: 'browser', pid: 7 }) }, 'warning'],
  ['start-waits', { ...down('stopped'), waiting: waitFor({ kind: 'lease', holder: undefined }) }, 'warning'],
  ['start-waits', { ...down('stopped'), waiting: waitFor({ kind: 'hold' }) }, 'warning'],
  ['start-waits', { ...down('stopped'), waiting: waitFor({ kind: 'call' }) }, 'warning'],
  ['start-waits', { ...down('failed'), waiting: waitFor({ kind: 'disk', folders: ['/a'] }) }, 'warning'],
  ['start-waits', { ...down('failed'), waiting: waitFor({ kind: 'session' }) }, 'warning'],
  ['starting', down('restoring'), 'warning'],
  ['starting', down('starting'), 'warning'],
  ['starting', down('authenticated'), 'warning'],
  ['awaiting-qr', down('awaiting_qr'), 'warning'],
  ['restore-rejected', { ...down('awaiting_qr'), decision: 'id' }, 'warning'],
  ['reconnecting', down('reconnecting'), 'critical', 'reconnect'],
  ['unresponsive', page(false), 'critical', 'reconnect'],
  ['unresponsive', { state: 'degraded', ...page(false) }, 'critical', 'reconnect'],
  ['logged-out', page(true, 'UNPAIRED'), 'critical', 'reconnect'],
  ['not-connected', { state: 'degraded', ...page(true, 'TIMEOUT') }, 'warning', 'reconnect'],
  ['not-connected', page(true, 'OPENING'), 'warning', 'reconnect'],
  ['profile-damaged', { profile: { verdict: 'corrupt', isSettled: true } }, 'critical', 'restore'],
  ['profile-suspect', { profile: { verdict: 'suspect', isSettled: true } }, 'warning', 'reconnect'],
  ['profile-missing', { profile: { verdict: 'absent', isSettled: true } }, 'critical', 'restore'],
  ['profile-missing', { profile: { verdict: 'foreign', isSettled: true } }, 'critical', 'restore'],
  ['session-too-large', size(200 * MB, 20 * MB), 'warning', 'reconnect'],
  ['essential-too-large', size(200 * MB, 160 * MB), 'warning'],
  ['save-missing', copies('saves', NO_COPY), 'warning', 'forceSave'],
  ['save-overdue', copies('saves', { confirmedAgeMs: 360_001 }), 'warning', 'forceSave'],
  ['save-failed', copies('saves', { hasFailed: true }), 'warning', 'forceSave'],
  ['save-unverified', last('saves', { isVerified: false }), 'warning', 'forceSave'],
  ['save-corrupt', last('saves', { isCorrupt: true }), 'warning', 'forceSave'],
  ['save-store-unreachable', copies('saves', { unreachable: [silent('s3')] }), 'warning'],
  [
    'save-store-unreachable',
    copies('saves', { unreachable: [{ ...silent('s3'), error: { code: 'STORE', message: '403' } }] }),
    'warning',
  ],
  ['backup-missing', copies('backups', NO_COPY), 'warning', 'backup'],
  ['backup-overdue', copies('backups', { confirmedAgeMs: 900_001 }), 'warning', 'backup'],
  ['backup-failed', copies('backups', { hasFailed: true }), 'warning', 'backup'],
  ['backup-unverified', last('backups', { isVerified: false }), 'warning', 'backup'],
  ['backup-corrupt', last('backups', { isCorrupt: true }), 'warning', 'backup'],
  ['worker-thread-stopped', copies('saves', { unreachable: [ofThread('disk')] }), 'warning'],
  ['worker-thread-stopped', copies('backups', { unreachable: [ofThread('disk')] }), 'warning'],
  ['backup-store-unreachable', copies('backups', { unreachable: [silent('s3'), silent('disk')] }), 'warning'],
  ['session-ephemeral', storage({ isSessionEphemeral: true }), 'warning'],
  ['backup-ephemeral', storage({ isBackupEphemeral: true }), 'warning'],
  ['replicas', storage({ mayOverlap: true }), 'warning'],
  ['same-disk', storage({ isSameDisk: true }), 'warning'],
  ['signal-hidden', storage({ hidesSignal: true }), 'warning'],
  ['disk-full', disk('session', 63 * MB), 'critical', 'prune'],
  ['disk-low', disk('session', 511 * MB), 'warning', 'prune'],
  ['backup-disk-full', disk('backup', 63 * MB), 'critical', 'prune'],
  ['backup-disk-low', disk('backup', 511 * MB), 'warning', 'prune'],
  ['memory-high', { memory: { ...HEALTHY.memory, limitBytes: 600 * MB } }, 'warning', 'reconnect'],
  ['memory-critical', { memory: { ...HEALTHY.memory, limitBytes: 510 * MB } }, 'critical', 'reconnect'],
  ['thread-silent', { threadSilentMs: 40_000 }, 'warning'],
  ['event-loop-slow', { eventLoopDelayMs: 501 }, 'warning'],
  ['reconnects-low', { upMs: 59_999, reconnect: { attempt: 4, maxAttempts: 5 } }, 'warning', 'reconnect'],
  ['lease-lost', { leaseHeld: false }, 'critical', 'initialize'],
  ['lease-unproven', { leaseHeld: false, leaseUnproven: true }, 'warning'],
  ['store-lease-unproven', { storeLease: { ...STORE_LEASE, provenAgoMs: 15_001 } }, 'warning'],
];

/** Those that cost points, but do not lower the status by themselves. */
const ADVICE = ['save-unverified', 'backup-unverified', 'same-disk', 'signal-hidden'];

const asObject = ([code, change, severity, action]: Row) => ({ code, change, severity, action });

function codesOf(change: Partial<HealthFacts>): readonly string[] {
  return evaluate({ ...HEALTHY, ...change }).issues.map(({ code }) => code);
}

describe('the health of a session', () => {
  it('is 100 and without an issue when nothing is wrong', () => {
    const report = evaluate(HEALTHY);
    expect(report).toMatchObject({ score: 100, status: 'healthy', issues: [], recommendations: [] });
    expect(
      report.checks.every(({ status, points, maxPoints }) => status === 'passed' && points === maxPoints),
    ).toBe(true);
    expect(report.checks.map(({ id }) => id).sort()).toEqual(Object.keys(POINTS).sort());
  });

  it('tells of a stopped worker thread once, and of the stores that are silent themselves', () => {
    const unreachable = [ofThread('disk'), silent('s3')];
    const both = {
      ...copies('saves', { unreachable: [ofThread('disk')] }),
      ...copies('backups', { unreachable }),
    };
    expect(codesOf(both)).toEqual(['worker-thread-stopped', 'backup-store-unreachable']);
    expect(JSON.stringify(evaluate({ ...HEALTHY, ...both }).issues[1])).not.toContain('disk');
  });

  it('is measured in points that make 100', () => {
    expect(Object.values(POINTS).reduce((sum, points) => sum + points, 0)).toBe(100);
  });

  it.each(ROWS.map(asObject))('$code, %#', ({ code, change, severity, action }) => {
    const report = evaluate({ ...HEALTHY, ...change });
    expect(report.issues.map((issue) => issue.code)).toEqual([code]);
    const [issue] = report.issues;
    expect(issue?.severity).toBe(severity);
    expect(issue?.message.en).toMatch(/\.$/);
    expect(issue?.message.ar).toMatch(/[\u0600-\u06ff].*\.$/);
    const [recommendation] = report.recommendations;
    expect(recommendation?.code).toBe(code);
    expect(recommendation?.action).toBe(action);
    expect(recommendation?.text.en).toMatch(/\.$/);
    expect(recommendation?.text.ar).toMatch(/[\u0600-\u06ff].*\.$/);
    // Every method that is named has a button on the dashboard, which is named instead.
    for (const language of ['en', 'ar'] as const) {
      expect(adviceWords(textsOf(language), recommendation?.text[language] ?? '')).not.toContain('()');
    }
    if (ADVICE.includes(code))
      expect(report).toMatchObject({ score: code.endsWith('unverified') ? 95 : 96, status: 'healthy' });
    else if (severity === 'warning') expect(report).toMatchObject({ score: 79, status: 'warning' });
    else expect(report).toMatchObject({ score: 49, status: 'critical' });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('tells of a session that has given up by two issues', () => {
    const usedUp = { attempt: 5, maxAttempts: 5 };
    const report = evaluate({ ...HEALTHY, ...down('failed'), reconnect: usedUp, leaseHeld: false });
    expect(report.issues.map(({ code }) => code)).toEqual(['failed', 'reconnects-exhausted']);
    expect(report.recommendations.map(({ action }) => action)).toEqual(['reconnect', 'initialize']);
    expect(report.status).toBe('critical');
  });

  it.each([5, null])('says nothing of attempts that nobody used: of %j', (maxAttempts) => {
    const report = evaluate({ ...HEALTHY, ...down('failed'), reconnect: { attempt: 0, maxAttempts } });
    expect(report.issues.map(({ code }) => code)).toEqual(['failed']);
    expect(report.status).toBe('critical');
  });

  it('is documented: docs/health.md names every check with its points, and every code', () => {
    const docs = readFileSync(new URL('../../../docs/health.md', import.meta.url), 'utf8');
    const codes = new Set([...ROWS.map(([code]) => code), 'failed', 'reconnects-exhausted']);
    expect([...codes].filter((code) => !docs.includes(`| \`${code}\` |`))).toEqual([]);
    const rows = Object.entries(POINTS).map(([id, points]) => `| \`${id}\` | ${points} |`);
    expect(rows.filter((row) => !docs.includes(row))).toEqual([]);
  });
});

describe('what is no issue', () => {
  it.each<[string, Partial<HealthFacts>]>([
    [
      'a copy of an earlier run in a session that has just come up',
      { upMs: 119_999, ...last('saves', { isVerified: false }), ...last('backups', { isVerified: false }) },
    ],
    ['a login that is not wholly on the disk yet', { profile: { verdict: 'corrupt', isSettled: false } }],
    [
      'no profile before anybody logged in',
      { ...down('awaiting_qr'), hasLogin: false, profile: { verdict: 'absent', isSettled: true } },
    ],
    [
      'no copy within two minutes of ready',
      { upMs: 119_999, ...copies('saves', NO_COPY), ...copies('backups', NO_COPY) },
    ],
    [
      'no copy before anybody logged in',
      { ...down('awaiting_qr'), hasLogin: false, ...copies('saves', NO_COPY), ...copies('backups', NO_COPY) },
    ],
    [
      'an old save in a session that has just come up',
      { upMs: 1000, ...copies('saves', { confirmedAgeMs: 1e9 }) },
    ],
    ['an old save that was found unchanged', last('saves', { ageMs: 1e9 })],
    [
      'an old save while timed saves are off',
      { limits: { ...HEALTHY.limits, saveIntervalMs: 0 }, ...copies('saves', { confirmedAgeMs: 1e9 }) },
    ],
    [
      'an old backup of a session that is stopped',
      { ...down('stopped'), ...copies('backups', { confirmedAgeMs: 1e9 }) },
    ],
    [
      'copies in stores of the user’s own',
      storage({ isSessionEphemeral: undefined, isBackupEphemeral: undefined, isSameDisk: undefined }),
    ],
    ['used attempts of a session that is stable again', { reconnect: { attempt: 5, maxAttempts: 5 } }],
    ['attempts without a bound', { upMs: 1, reconnect: { attempt: 99, maxAttempts: null } }],
    ['no lease while stopped', { ...down('stopped'), leaseHeld: false }],
  ])('%s', (_, change) => {
    const told = ['not-started', 'awaiting-qr'];
    expect(codesOf(change).filter((code) => !told.includes(code))).toEqual([]);
  });

  it('one disk is told of once', () => {
    const { session } = HEALTHY.disks;
    const one = session && { ...session, freeBytes: 10 * MB };
    expect(codesOf({ disks: { session: one, backup: one } })).toEqual(['disk-full']);
  });
});

describe('what can be run depends on the state', () => {
  it('a copy is not recommended to be taken while the session is not ready', () => {
    const { recommendations } = evaluate({ ...HEALTHY, ...down('stopped'), ...copies('backups', NO_COPY) });
    expect(recommendations.find(({ code }) => code === 'backup-missing')).not.toHaveProperty('action');
  });

  it('caches are pruned at once where no browser runs', () => {
    const { recommendations } = evaluate({ ...HEALTHY, ...down('stopped'), ...size(200 * MB, MB) });
    expect(recommendations.at(-1)).toMatchObject({ code: 'session-too-large', action: 'prune' });
  });

  it('nothing is restored where there is nothing to restore', () => {
    const change = { ...copies('saves', NO_COPY), ...copies('backups', NO_COPY) };
    const { recommendations } = evaluate({
      ...HEALTHY,
      ...change,
      profile: { verdict: 'corrupt', isSettled: true },
    });
    expect(recommendations.find(({ code }) => code === 'profile-damaged')).not.toHaveProperty('action');
  });

  it('a bot that takes the memory itself is not helped by a new browser', () => {
    const memory = { ...HEALTHY.memory, nodeRssBytes: 1000 * MB };
    expect(evaluate({ ...HEALTHY, memory }).recommendations[0]).not.toHaveProperty('action');
  });
});

describe('whatever the facts', () => {
  const number = fc.oneof(fc.double(), fc.integer({ min: -10, max: 2 ** 40 }));
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const states: readonly SessionState[] = [
    'idle',
    'restoring',
    'starting',
    'awaiting_qr',
    'authenticated',
    'ready',
    'degraded',
    'reconnecting',
    'stopping',
    'stopped',
    'failed',
  ];
  const copyFacts = fc.record({
    count: maybe(number),
    bytes: maybe(number),
    unreachable: fc.array(fc.record({ name: fc.string(), forMs: fc.nat() })),
    last: maybe(
      fc.record({
        createdAt: fc.string(),
        ageMs: number,
        isVerified: fc.boolean(),
        isCorrupt: fc.boolean(),
      }),
    ),
    confirmedAgeMs: maybe(number),
    hasFailed: fc.boolean(),
    refusal: maybe(fc.record({ code: fc.string(), message: fc.string() })),
  });
  const diskFacts = maybe(fc.record({ path: fc.string(), freeBytes: number, device: number }));
  const anyFacts: fc.Arbitrary<HealthFacts> = fc.record({
    state: fc.constantFrom(...states),
    upMs: maybe(number),
    hasLogin: fc.boolean(),
    olderCopy: maybe(fc.string()),
    decision: maybe(fc.string()),
    limits: fc.record({ maxSessionBytes: number, saveIntervalMs: number, backupIntervalMs: number }),
    probe: maybe(
      fc.record({ answered: fc.boolean(), state: maybe(fc.string()), durationMs: number }),
    ) as fc.Arbitrary<HealthFacts['probe']>,
    profile: maybe(
      fc.record({
        verdict: fc.constantFrom('sound', 'suspect', 'corrupt', 'absent', 'foreign'),
        isSettled: fc.boolean(),
      }),
    ),
    size: maybe(
      fc.record({
        totalBytes: number,
        essentialBytes: number,
        files: number,
        essentialModifiedMs: fc.integer({ min: 0, max: 4e12 }),
        truncated: fc.boolean(),
      }),
    ),
    saves: copyFacts,
    backups: copyFacts,
    storage: maybe(
      fc.record({
        sessionPath: fc.string(),
        backupPath: fc.string(),
        isSessionEphemeral: maybe(fc.boolean()),
        isBackupEphemeral: maybe(fc.boolean()),
        isSameDisk: maybe(fc.boolean()),
        mayOverlap: fc.boolean(),
        hidesSignal: fc.boolean(),
      }),
    ),
    disks: fc.record({ session: diskFacts, backup: diskFacts }),
    memory: fc.record({
      nodeRssBytes: number,
      nodeHeapUsedBytes: number,
      browser: fc.oneof(
        fc.constant('none' as const),
        fc.constant(undefined),
        fc.record({ bytes: number, processes: number }),
      ),
      limitBytes: maybe(number),
    }),
    eventLoopDelayMs: maybe(number),
    reconnect: fc.record({ attempt: fc.nat(), maxAttempts: fc.option(fc.nat()) }),
    waiting: fc.constant(undefined),
    threadSilentMs: fc.nat(),
    lastError: fc.option(fc.record({ code: fc.string(), message: fc.string() }), { nil: undefined }),
    leaseHeld: fc.boolean(),
    leaseUnproven: fc.boolean(),
    storeLease: maybe(
      fc.record({
        store: fc.string(),
        isLost: fc.boolean(),
        provenAgoMs: maybe(number),
        takeoverMs: number,
      }),
    ),
  });

  it('the score is an integer from 0 to 100 and agrees with the status, the issues and the checks', () => {
    const property = fc.property(anyFacts, (facts) => {
      const { score, status, checks, issues, recommendations } = evaluate(facts);
      expect(Number.isInteger(score)).toBe(true);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(100);
      expect(status).toBe(score >= 80 ? 'healthy' : score >= 50 ? 'warning' : 'critical');
      if (issues.some(({ severity }) => severity === 'critical')) expect(status).toBe('critical');
      if (issues.some(({ code }) => !ADVICE.includes(code))) expect(status).not.toBe('healthy');
      expect(recommendations.map(({ code }) => code)).toEqual(issues.map(({ code }) => code));
      expect(new Set(issues.map(({ code }) => code)).size).toBe(issues.length);
      for (const { id, status: ofCheck } of checks) {
        const found = issues.some(({ check }) => check === id);
        expect(found).toBe(ofCheck === 'warning' || ofCheck === 'critical');
      }
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('a fact that is missing takes away its own check and no other', () => {
    const keys = [
      'probe',
      'profile',
      'size',
      'storage',
      'disks',
      'memory',
      'eventLoopDelayMs',
      'saves',
    ] as const;
    const property = fc.property(anyFacts, fc.constantFrom(...keys), (facts, key) => {
      const judged = (given: HealthFacts) =>
        new Map(evaluate(given).checks.map(({ id, status }) => [id, status]));
      const all = judged(facts);
      const without = judged({ ...facts, [key]: UNKNOWN[key] });
      const changed = [...all].filter(([id, status]) => without.get(id) !== status).map(([id]) => id);
      expect(OF_FACT[key]).toEqual(expect.arrayContaining(changed));
    });
    fc.assert(property, { numRuns: 300 });
  });

  /** The checks that look at a fact. */
  const OF_FACT = {
    probe: ['connection'],
    profile: ['profile'],
    size: ['session-size', 'disk-space'], // how much room a copy needs
    storage: ['storage'],
    disks: ['disk-space'],
    memory: ['memory'],
    eventLoopDelayMs: ['event-loop'],
    saves: ['last-save'],
  };

  it('facts that make no sense at all hide nothing of the rest', () => {
    const broken = { ...HEALTHY, profile: null, disks: null, saves: null } as unknown as HealthFacts;
    expect(() => evaluate({ ...broken, disks: HEALTHY.disks, saves: HEALTHY.saves })).not.toThrow();
    const report = evaluate({ ...broken, disks: HEALTHY.disks, saves: HEALTHY.saves, leaseHeld: false });
    expect(report.issues.map(({ code }) => code)).toEqual(['lease-lost']);
  });
});
