/**
 * Shows what the library does, with the real whatsapp-web.js Client in real Chromium, against the local simulator of
 * WhatsApp Web. Exits 0 only if every step succeeded.
 *
 * - `npm run demo`: the main job, from the first scan to a logout on the phone
 * - `npm run demo -- --accounts`: two accounts in one folder
 * - `npm run demo -- --store postgres` (or `s3`, `redis`): a machine that is lost, and the next one with an empty disk
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { accounts: { type: 'boolean', default: false }, store: { type: 'string' } },
});

if (values.store !== undefined) await import('./demo/two-machines.js');
else await import(values.accounts ? './demo/two-accounts.js' : './demo/main-job.js');
