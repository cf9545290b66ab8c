import type { SessionContext } from '../context/session-context.js';
import type { SessionRecord } from '../record/session-record.js';

/** What only a person can decide, after a restore that a person had asked for was rejected. */
export interface Decision {
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
  /** The newest snapshot of the login that was in place before the restore. */
  readonly snapshotId: string;
}

/** What a person has to decide; `undefined` when nothing. */
export function decisionIn({ requestedOver }: SessionRecord): Decision | undefined {
  if (requestedOver?.rejectedAt === undefined) return undefined;
  const { restored, before, rejectedAt } = requestedOver;
  const message =
    `WhatsApp does not accept the login that restore('${restored}') has put in place. The login before it may be of another ` +
    `account, so it is not brought back by itself: call restore('${before}') for that one, or scan a new QR`;
  return { message, since: rejectedAt, snapshotId: before };
}

/**
 * Call when WhatsApp has rejected the login in place and nothing is left to try. If a person has restored it over a login that
 * may be of another account, that person decides what comes next. Rejects when the record can't be written.
 */
export async function askForDecision({ record, clock }: SessionContext): Promise<Decision | undefined> {
  const { requestedOver } = record.current;
  if (requestedOver === undefined) return undefined;
  const rejectedAt = requestedOver.rejectedAt ?? new Date(clock.now()).toISOString();
  await record.update({ requestedOver: { ...requestedOver, rejectedAt } });
  return decisionIn(record.current);
}
