/**
 * Shows what the library does, with the real whatsapp-web.js Client in real Chromium, against the local simulator of
 * WhatsApp Web. Exits 0 only if every step succeeded.
 *
 * - `npm run demo`: the main job, from the first scan to a logout on the phone
 * - `npm run demo -- --accounts`: two accounts in one folder
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { accounts: { type: 'boolean', default: false } } });

await import(values.accounts ? './demo/two-accounts.js' : './demo/main-job.js');
