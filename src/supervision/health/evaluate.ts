import type {
  HealthCheck,
  HealthCheckId,
  HealthIssue,
  HealthRecommendation,
  HealthReport,
  HealthStatus,
} from '../../health.js';
import { connection } from './checks/connection.js';
import { diskSpace } from './checks/disk-space.js';
import { eventLoop } from './checks/event-loop.js';
import { lastBackup, lastSave } from './checks/last-copy.js';
import { lease } from './checks/lease.js';
import { memory } from './checks/memory.js';
import { profile } from './checks/profile.js';
import { reconnect } from './checks/reconnect.js';
import { sessionSize } from './checks/session-size.js';
import { storage } from './checks/storage.js';
import type { HealthFacts } from './facts.js';
import type { Check, Issue, Judgement } from './issue.js';
import { metricsOf } from './metrics.js';
import { HEALTHY_FROM, POINTS, WARNING_FROM } from './points.js';

const CHECKS: Readonly<Record<HealthCheckId, Check>> = {
  connection,
  profile,
  'last-save': lastSave,
  'last-backup': lastBackup,
  storage,
  'disk-space': diskSpace,
  memory,
  'session-size': sessionSize,
  reconnect,
  'event-loop': eventLoop,
  lease,
};

interface Judged {
  readonly id: HealthCheckId;
  readonly judgement: Judgement;
}

/** Makes the report from the facts. Pure; equal facts give equal reports. */
export function evaluate(facts: HealthFacts): Omit<HealthReport, 'checkedAt'> {
  const judged = Object.entries(CHECKS).map(([id, check]) => ({
    id: id as HealthCheckId,
    judgement: attempt(check, facts),
  }));
  const found = judged.flatMap(({ id, judgement }) =>
    issuesOf(judgement).map((issue) => ({ check: id, issue })),
  );
  const checks = judged.map(toCheck);
  const score = scoreOf(
    checks,
    found.map(({ issue }) => issue),
  );
  return {
    score,
    status: statusOf(score),
    checks,
    issues: found.map(({ check, issue }) => toIssue(check, issue)),
    recommendations: found.map(({ issue }) => toRecommendation(issue)),
    metrics: metricsOf(facts),
  };
}

/** Runs one check. If it throws on unexpected facts, the other checks still count. */
function attempt(check: Check, facts: HealthFacts): Judgement {
  try {
    return check(facts);
  } catch {
    return 'unknown';
  }
}

/**
 * The score in percent: points reached by all known checks. A critical issue keeps the score below `warning` and a
 * warning keeps it below `healthy`, whatever else is well. Advice only costs its points.
 */
function scoreOf(checks: readonly HealthCheck[], issues: readonly Issue[]): number {
  const known = checks.filter(({ status }) => status !== 'unknown');
  const most = known.reduce((sum, { maxPoints }) => sum + maxPoints, 0);
  const points = known.reduce((sum, check) => sum + check.points, 0);
  const score = most === 0 ? 0 : Math.round((100 * points) / most);
  if (issues.some(({ severity }) => severity === 'critical')) return Math.min(score, WARNING_FROM - 1);
  if (issues.some(({ isAdvice }) => isAdvice !== true)) return Math.min(score, HEALTHY_FROM - 1);
  return score;
}

function statusOf(score: number): HealthStatus {
  if (score >= HEALTHY_FROM) return 'healthy';
  return score >= WARNING_FROM ? 'warning' : 'critical';
}

/** Full points without an issue, half for a warning, none for a critical issue. */
function toCheck({ id, judgement }: Judged): HealthCheck {
  const maxPoints = POINTS[id];
  if (judgement === 'unknown') return { id, status: 'unknown', points: 0, maxPoints };
  if (judgement.length === 0) return { id, status: 'passed', points: maxPoints, maxPoints };
  const isCritical = judgement.some(({ severity }) => severity === 'critical');
  return isCritical
    ? { id, status: 'critical', points: 0, maxPoints }
    : { id, status: 'warning', points: Math.floor(maxPoints / 2), maxPoints };
}

function issuesOf(judgement: Judgement): readonly Issue[] {
  return judgement === 'unknown' ? [] : judgement;
}

function toIssue(check: HealthCheckId, { code, severity, message }: Issue): HealthIssue {
  return { code, check, severity, message };
}

function toRecommendation({ code, advice, action }: Issue): HealthRecommendation {
  return { code, text: advice, ...(action !== undefined && { action }) };
}
