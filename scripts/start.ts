/**
 * `npm start`: runs examples/express-server with a Chromium that was found or installed.
 * `npm start -- --simulate`: the same against the WhatsApp Web simulator, with a page that scans the QR.
 */
import { ensureChromium } from './chromium.js';
import { simulate } from './start/simulate.js';

const chromium = ensureChromium();
process.env.PUPPETEER_EXECUTABLE_PATH ??= chromium;
if (process.argv.includes('--simulate')) await simulate(chromium);
// By a name that the compiler can't follow: the package's types are not there before the build.
await import('../examples/express-server/server.js' as string);
