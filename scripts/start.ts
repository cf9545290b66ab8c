/**
 * `npm start`: runs examples/express-server with a Chromium that was found or installed.
 * `npm start -- --simulate`: runs it against the WhatsApp Web simulator, with a page that scans the QR.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureChromium } from './chromium.js';
import { simulate } from './start/simulate.js';

const SERVER = fileURLToPath(new URL('../examples/express-server/server.js', import.meta.url));

const chromium = ensureChromium();
const simulated = process.argv.includes('--simulate') ? await simulate(chromium) : undefined;
const server = spawn(process.execPath, [SERVER], {
  env: { PUPPETEER_EXECUTABLE_PATH: chromium, ...process.env, ...simulated?.env },
  cwd: simulated?.folder ?? process.cwd(),
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to both processes: the server makes its last save, and this process waits for that.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => server.kill('SIGTERM'));
server.once('exit', (code, signal) => {
  simulated?.cleanUp();
  process.exit(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1));
});
