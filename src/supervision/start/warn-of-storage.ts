import { withDeadline } from '../../clock.js';
import { readStorageFacts, storageWarnings } from '../../platform.js';
import type { SessionContext } from '../context/session-context.js';

/**
 * Time limit for the check during a start, ms. A mount that hangs gives no answer here; its store reports that when
 * it is used.
 */
const SOON_MS = 250;

/**
 * Warns at the start about what a redeploy would delete, since a save at the stop may never happen
 * (docs/chromium-facts.md F4.4).
 */
export async function warnOfStorage(context: SessionContext): Promise<void> {
  await withDeadline(context.clock, SOON_MS, 'reading of the mounts', tell(context)).catch(() => undefined);
}

async function tell({ fs, options, warn }: SessionContext): Promise<void> {
  const { sessionPath, backupPath } = options;
  const facts = await readStorageFacts({ fs, sessionPath, backupPath });
  for (const { code, message } of storageWarnings(facts)) {
    warn(code === 'replicas' ? 'replicas' : 'storage', message);
  }
}
