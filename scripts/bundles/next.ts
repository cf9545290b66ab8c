import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { assertNoThread, assertThread, type Report } from './report.js';

export type Builder = 'turbopack' | 'webpack';

const EXAMPLE = fileURLToPath(new URL('../../examples/nextjs-route', import.meta.url));
const SCENARIO = fileURLToPath(new URL('scenario.mjs', import.meta.url));
const LOCK = new URL('../../package-lock.json', import.meta.url);
const PACKAGES = ['next@16.4.6', 'react@19.2.0', 'react-dom@19.2.0', '@types/react@19.2.0'];
/** Packages that are installed in the version of this project. */
const SHARED = ['whatsapp-web.js', 'typescript', '@types/node'];
const START_DEADLINE_MS = 60_000;
const ENV = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', PUPPETEER_SKIP_DOWNLOAD: '1' };

/** A route that runs the bot of the check inside the server. */
const ROUTE = `
import { runBot } from './scenario.mjs';
export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
export async function GET() {
  return Response.json(await runBot(process.env.BOT_FOLDER));
}
`;

/** Installs the Next.js example as a separate application that contains the route. */
export function installNext(app: string, tarball: string, npm: string): void {
  cpSync(EXAMPLE, app, { recursive: true, filter: (path) => !path.includes('node_modules') });
  rmSync(join(app, 'instrumentation.ts')); // it would start a browser with the server
  mkdirSync(join(app, 'app', 'check'));
  writeFileSync(join(app, 'app', 'check', 'route.js'), ROUTE);
  cpSync(SCENARIO, join(app, 'app', 'check', 'scenario.mjs'));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  const lock = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, { version: string }> };
  const shared = SHARED.map((name) => `${name}@${lock.packages[`node_modules/${name}`]?.version}`);
  const args = ['install', '--no-audit', '--no-fund', '--silent', '--prefer-offline', '--save-exact'];
  execFileSync(npm, [...args, tarball, ...PACKAGES, ...shared], {
    cwd: app,
    env: ENV,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Builds the application as in the example (`isBundled` false), or with the library inside the bundle. */
export function buildNext(app: string, builder: Builder, isBundled: boolean): void {
  const external = ['whatsapp-web.js', ...(isBundled ? [] : ['wwebjs-persistent-session'])];
  writeFileSync(
    join(app, 'next.config.ts'),
    `export default { serverExternalPackages: ${JSON.stringify(external)} };\n`,
  );
  rmSync(join(app, '.next'), { recursive: true, force: true });
  try {
    execFileSync(process.execPath, [next(app), 'build', `--${builder}`], {
      cwd: app,
      env: ENV,
      encoding: 'utf8',
    });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`next build failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}

/** Starts the built application and runs the bot in it, in a thread only if the bundle finds the worker's file. */
export async function runInNext(app: string, folder: string, isBundled: boolean): Promise<void> {
  const port = await freePort();
  const server = spawn(process.execPath, [next(app), 'start', '-H', '127.0.0.1', '-p', String(port)], {
    cwd: app,
    env: { ...ENV, BOT_FOLDER: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await answers(port);
    const response = await fetch(`http://127.0.0.1:${port}/check`, {
      signal: AbortSignal.timeout(START_DEADLINE_MS),
    });
    const text = await response.text();
    if (response.status !== 200)
      throw new Error(`the route answered ${response.status}: ${text.slice(0, 500)}`);
    const report = JSON.parse(text) as Report;
    if (isBundled && report.threads === 0) assertNoThread(report);
    else assertThread(report);
  } finally {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
}

function next(app: string): string {
  return join(app, 'node_modules', 'next', 'dist', 'bin', 'next');
}

async function answers(port: number): Promise<void> {
  for (const end = performance.now() + START_DEADLINE_MS; performance.now() < end; await sleep(100)) {
    const isUp = await fetch(`http://127.0.0.1:${port}/nothing-here`, {
      signal: AbortSignal.timeout(5000),
    }).then(
      () => true,
      () => false,
    );
    if (isUp) return;
  }
  throw new Error(`next start did not answer within ${START_DEADLINE_MS / 1000} s`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
