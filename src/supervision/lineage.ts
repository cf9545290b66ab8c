import { createHash } from 'node:crypto';
import { accountId } from '../client/page-probe.js';
import type { SessionContext } from './session-context.js';
import type { SessionSnapshots } from './session-snapshots.js';

/** A lineage's name: when it began and something random, so that lineages sort by age for a human. */
export function newLineageAfter({ clock, random }: Pick<SessionContext, 'clock' | 'random'>): string {
  const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
  const suffix = Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  return `${day}-${suffix}`;
}

/**
 * Called at every `ready`: decides which lineage the session is in and counts the run.
 *
 * A pairing starts a lineage, so does a `ready` with another account than before. A profile that came without a
 * record (it was made before this library, or the record was lost) goes on with the newest lineage of its account.
 */
export async function recordReady(
  context: SessionContext,
  snapshots: SessionSnapshots,
  paired: boolean,
): Promise<void> {
  const { record, warn, driver } = context;
  const before = record.current;
  const id = accountId(driver);
  const account = id === undefined ? undefined : createHash('sha256').update(id).digest('hex');
  const changed = before.account !== undefined && account !== undefined && before.account !== account;
  if (changed) {
    warn(
      'account-changed',
      'another WhatsApp account is logged in now than before; its snapshots start anew',
    );
  }
  const known =
    paired || changed ? undefined : (before.lineage ?? (await lineageOfAccount(context, snapshots, account)));
  const lineage = known ?? newLineageAfter(context);
  const lastRun = known === undefined ? 0 : Math.max(before.run, await runsOf(snapshots, known));
  await record.update({
    lineage,
    run: lastRun + 1,
    account: account ?? (known === undefined ? undefined : before.account),
    loggedIn: true,
    ...(known === undefined && { basedOn: undefined, rejectedSnapshots: [], rejectedLineages: [] }),
  });
}

async function lineageOfAccount(
  context: SessionContext,
  snapshots: SessionSnapshots,
  account: string | undefined,
): Promise<string | undefined> {
  if (account === undefined) return undefined;
  const located = await snapshots.list().catch(() => []);
  for (const { info, repository } of located) {
    if (info.revoked || context.record.current.revokedLineages.includes(info.lineage)) continue;
    const manifest = await repository.manifest(info.id).catch(() => undefined);
    if (manifest !== undefined) return manifest.account === account ? info.lineage : undefined;
  }
  return undefined;
}

// A store that is down must not keep a bot that is ready from counting: the record's own number is enough.
function runsOf(snapshots: SessionSnapshots, lineage: string): Promise<number> {
  return snapshots.lastRun(lineage).catch(() => 0);
}
