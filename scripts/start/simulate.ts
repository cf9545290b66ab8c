import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumArguments } from '../../test/simulator/client.js';
import { startSimulator, type WhatsAppSimulator } from '../../test/simulator/server.js';

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>The phone</title>
<h1>The phone</h1>
<form method="post" action="/scan"><button>Scan the QR</button></form>
<form method="post" action="/logout"><button>Log the bot out</button></form>
<form method="post" action="/incoming"><button>Send "!ping" to the bot</button></form>
</html>`;

export interface Simulated {
  /** The server's working folder; whatsapp-web.js caches the simulator's page in its `.wwebjs_cache`. */
  readonly folder: string;
  /** Leads the server's Chromium to the simulator, and keeps its session out of the real session's folders. */
  readonly env: Readonly<Record<string, string>>;
  cleanUp(): void;
}

/** Starts a simulator and a page that plays the phone. Both listen only on loopback. */
export async function simulate(chromium: string): Promise<Simulated> {
  const simulator = await startSimulator();
  const folder = mkdtempSync(join(tmpdir(), 'wwebjs-simulated-'));
  const wrapper = join(folder, 'chromium.sh');
  const args = chromiumArguments(simulator.port).map((argument) => `'${argument}'`);
  writeFileSync(wrapper, `#!/bin/sh\nexec '${chromium}' ${args.join(' ')} "$@"\n`);
  chmodSync(wrapper, 0o755);
  const phone = createServer((request, response) => {
    answer(simulator, request, response).catch((error: unknown) => {
      response.writeHead(409).end(error instanceof Error ? error.message : 'failed');
    });
  });
  await new Promise<void>((resolve) => phone.listen(0, '127.0.0.1', resolve));
  console.log(`The phone: http://127.0.0.1:${(phone.address() as AddressInfo).port}/`);
  return {
    folder,
    env: {
      PUPPETEER_EXECUTABLE_PATH: wrapper,
      SESSION_PATH: join(folder, 'persistent-session'),
      BACKUP_SESSION_PATH: join(folder, 'session-backup'),
    },
    cleanUp: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function answer(
  simulator: WhatsAppSimulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'GET' && request.url === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE);
    return;
  }
  const actions: Readonly<Record<string, () => Promise<unknown>>> = {
    '/scan': () => simulator.scan(),
    '/logout': () => simulator.logoutFromPhone(),
    '/incoming': () => simulator.sendIncoming({ from: '4915100000002', body: '!ping' }),
  };
  const action = request.method === 'POST' ? actions[request.url ?? ''] : undefined;
  if (!action) {
    response.writeHead(404).end();
    return;
  }
  await action();
  response.writeHead(303, { Location: '/' }).end();
}
