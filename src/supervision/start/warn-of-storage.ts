import { withDeadline } from '../../clock.js';
import { readStorageFacts, storageWarnings } from '../../platform.js';
import type { SessionContext } from '../context/session-context.js';

/** What a start waits for it, ms: a mount that hangs tells nothing of itself, and its store says so when it is asked. */
const SOON_MS = 250;

/** Tells at the start what a redeploy would take away, since a save at the stop may never come (docs/chromium-facts.md F4.4). */
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
