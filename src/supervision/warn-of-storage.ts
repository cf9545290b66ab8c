import { readStorageFacts, storageWarnings } from '../platform.js';
import type { SessionContext } from './session-context.js';

/** Tells at the start what a redeploy would take away: a save on shutdown is a bonus, never the plan (FACTS 4). */
export async function warnOfStorage({ fs, options, warn }: SessionContext): Promise<void> {
  const { sessionPath, backupPath } = options;
  const facts = await readStorageFacts({ fs, sessionPath, backupPath });
  for (const { code, message } of storageWarnings(facts)) {
    warn(code === 'replicas' ? 'replicas' : 'storage', message);
  }
}
