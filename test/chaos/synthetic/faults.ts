import { runFaultCase } from './fault-case.js';
import { type FaultOperation, prepareScenarios } from './fault-scenarios.js';

export const ERRNOS = ['ENOSPC', 'EIO', 'EACCES', 'EMFILE', 'EBUSY'] as const;

export interface FaultPlan {
  readonly operations: readonly FaultOperation[];
  readonly errnos: readonly string[];
  /** Makes only every `every`-th call fail, beginning with `first`. Default: every call. */
  readonly every?: number;
  readonly first?: number;
  readonly onProgress?: (line: string) => void;
}

export interface FaultRow {
  readonly operation: FaultOperation;
  readonly errno: string;
  calls: number;
  readonly outcomes: Map<string, number>;
  violations: number;
}

export interface FaultReport {
  readonly rows: readonly FaultRow[];
  readonly violations: readonly string[];
}

/** More calls than any operation makes, so that the search for the last call ends. */
const MAX_CALLS = 5000;

/** Makes every file system call fail, one at a time, in every operation. */
export async function injectFaults(plan: FaultPlan): Promise<FaultReport> {
  const { operations, errnos, every = 1, first = 1, onProgress = () => undefined } = plan;
  const scenarios = await prepareScenarios();
  const rows: FaultRow[] = [];
  const violations: string[] = [];
  for (const operation of operations) {
    for (const errno of errnos) {
      const row: FaultRow = { operation, errno, calls: 0, outcomes: new Map(), violations: 0 };
      for (let failOn = first; failOn < MAX_CALLS; failOn += every) {
        const outcome = await runFaultCase(operation, scenarios[operation], { errno, failOn });
        row.violations += outcome.violations.length;
        for (const violation of outcome.violations) {
          violations.push(`${operation}, ${errno}, call ${failOn} (${outcome.call}): ${violation}`);
        }
        if (outcome.kind === 'untouched') break;
        row.calls++;
        row.outcomes.set(outcome.kind, (row.outcomes.get(outcome.kind) ?? 0) + 1);
      }
      rows.push(row);
      onProgress(`${operation} ${errno}: ${row.calls} calls, ${row.violations} violations`);
    }
  }
  return { rows, violations };
}
