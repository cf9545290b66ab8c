import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionRecord } from '../record/session-record.js';

/** What only a person can decide, after a login that a person had put in place was rejected. */
export interface Decision {
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
  /** The newest snapshot of the login that was in place before. */
  readonly snapshotId: string;
}

/** What a person has to decide; `undefined` when nothing. */
export function decisionIn(record: SessionRecord): Decision | undefined {
  const { requestedOver } = record;
  if (requestedOver?.rejectedAt === undefined) return undefined;
  const { before, rejectedAt } = requestedOver;
  const message =
    `${notAccepted(record, requestedOver.restored)}. The login before it may be of another ` +
    `account, so it is not brought back by itself: call restore('${before}') for that one, or scan a new QR`;
  return { message: message + quarantineIn(record), since: rejectedAt, snapshotId: before };
}

/**
 * Call when WhatsApp has rejected the login in place and nothing is left to try. If a person has put it in place of a login that
 * may be of another account, or that no store has, that person decides what comes next. Rejects when the record can't be
 * written.
 *
 * @returns what to tell; `undefined` when no person has put it there, or when nothing was replaced
 */
export async function askForDecision({ record, clock }: SessionContext): Promise<string | undefined> {
  const { requestedOver } = record.current;
  if (requestedOver !== undefined) {
    const rejectedAt = requestedOver.rejectedAt ?? new Date(clock.now()).toISOString();
    await record.update({ requestedOver: { ...requestedOver, rejectedAt } });
  }
  const decision = decisionIn(record.current);
  if (decision !== undefined) return decision.message;
  const { askedFor } = record.current;
  if (askedFor?.quarantined === undefined) return undefined;
  return `${notAccepted(record.current, askedFor.restored)}: a new QR scan is needed${quarantineIn(record.current)}`;
}

/**
 * Call after a restore: tells if it has brought back what a person had replaced by a login that WhatsApp rejects.
 *
 * @param before the record before the restore
 */
export function tellPutBack(
  { warn }: Pick<SessionContext, 'warn'>,
  before: SessionRecord,
  { info }: LocatedSnapshot,
): void {
  const { askedFor, formerLineage } = before;
  if (askedFor === undefined || info.lineage !== formerLineage) return;
  warn(
    'login-rejected',
    `${notAccepted(before, askedFor.restored)}: the login before it was brought back (${info.id}). To try the other one again, ` +
      `call restore('${askedFor.restored}')`,
  );
}

function notAccepted({ askedFor }: SessionRecord, restored: string): string {
  const call =
    askedFor?.from === undefined
      ? `restore('${restored}')`
      : `importSession(${JSON.stringify(askedFor.from)})`;
  return `WhatsApp does not accept the login that ${call} has put in place`;
}

function quarantineIn({ askedFor }: SessionRecord): string {
  if (askedFor?.quarantined === undefined) return '';
  const call = `importSession(${JSON.stringify(askedFor.quarantined)})`;
  return `. The login that was in place was in no store, and lies in quarantine: ${call} brings it back`;
}
