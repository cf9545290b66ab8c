import { withDeadline } from '../clock.js';
import { readStorageFacts, storageWarnings } from '../platform.js';
import type { SessionContext } from './session-context.js';

const PATIENCE_MS = 1_000;

/** Tells at the start what a redeploy would take away: a save on shutdown is a bonus, never the plan (FACTS 4). */
export async function warnOfStorage({ fs, options, warn, clock }: SessionContext): Promise<void> {
  const { sessionPath, backupPath } = options;
  const reading = readStorageFacts({ fs, sessionPath, backupPath });
  // A mount that hangs tells nothing of itself; its store says so when it is asked.
  const facts = await withDeadline(clock, PATIENCE_MS, 'reading of the mounts', reading).catch(
    () => undefined,
  );
  if (facts === undefined) return;
  for (const { code, message } of storageWarnings(facts)) {
    warn(code === 'replicas' ? 'replicas' : 'storage', message);
  }
}
