/**
 * Installs the packed tarball into an empty project and uses it as a bot would: imported from ESM, required from CJS,
 * on this Node version and on the other ones of `node@20`, `node@22` and `node@24`, which come from npm. There it starts a
 * session with the package's own fakes, the real file system and the worker thread: it pairs, saves and restarts without
 * a QR. Further runs only measure the import. Also checks the types with each way to resolve a package's types.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The time budget of an import, because every bot pays for it at every start. */
const IMPORT_BUDGET_MS = 50;
const NODE_VERSIONS = ['20', '22', '24'];
/** How often the import is measured; a run that is disturbed measures too much. */
const IMPORTS = 5;
/** The compiler options of a consumer by its module resolution; node10 does not support `exports`. */
const RESOLUTIONS = {
  node10: ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0'],
  nodenext: ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
};
type Lock = { readonly packages: Readonly<Record<string, { readonly version: string } | undefined>> };

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Uses every entry of the package, and a type that must refuse a wrong word. */
const CONSUMER = `
import { PersistentSession } from 'wwebjs-persistent-session';
import { createSessionHandler } from 'wwebjs-persistent-session/http';
import { FakeClient, FakeWhatsApp } from 'wwebjs-persistent-session/testing';
const session = new PersistentSession(new FakeClient({ whatsApp: new FakeWhatsApp() }));
session.on('state:changed', ({ cause }) => cause === 'browser-gone' || cause === 'LEASE_HELD');
// @ts-expect-error: no such cause
session.on('state:changed', ({ cause }) => cause === 'browser-went');
export const handler: (request: Request) => Promise<Response> = createSessionHandler(session, { auth: 'none' });
`;

const folder = mkdtempSync(join(tmpdir(), 'wwebjs-smoke-'));
try {
  execFileSync(npm, ['pack', '--silent', '--pack-destination', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'smoke', private: true }));
  // Without the peer: importing the library must not need whatsapp-web.js.
  install([`./${tarball}`, '--legacy-peer-deps']);
  writeFileSync(join(folder, 'smoke.mjs'), `${probe((name) => `await import(${name})`)}`);
  writeFileSync(join(folder, 'smoke.cjs'), `(async () => {${probe((name) => `require(${name})`)}})();`);
  for (const node of [process.execPath, ...otherNodes()]) {
    for (const script of ['smoke.mjs', 'smoke.cjs']) run(node, script);
  }
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  for (const [name, options] of Object.entries(RESOLUTIONS)) typeCheck(name, options);
  checkDocstrings();
  checkTree(tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function install(packages: readonly string[]): void {
  execFileSync(npm, ['install', '--no-audit', '--no-fund', '--silent', ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Installs npm's `node` packages, which contain the binary for this platform, of all major versions but this one. */
function otherNodes(): readonly string[] {
  const others = NODE_VERSIONS.filter((version) => !process.version.startsWith(`v${version}.`));
  const packages = others.map((version) => `node-${version}@npm:node@${version}`);
  install([...packages, '--legacy-peer-deps', '--foreground-scripts']);
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  return others.map((version) => join(folder, 'node_modules', `node-${version}`, 'bin', binary));
}

function probe(load: (name: string) => string): string {
  return `
    const name = 'wwebjs-persistent-session';
    const startedAt = performance.now();
    const library = ${load('name')};
    const importMs = performance.now() - startedAt;
    if (process.argv[2] !== 'import') await use(library);
    console.log(JSON.stringify({ importMs }));
    async function use(library) {
      const { EventEmitter } = ${load("'node:events'")};
      class Client extends EventEmitter {
        options = { puppeteer: {} };
        async initialize() {}
        async destroy() {}
        async logout() {}
        async getState() {}
        async sendMessage() {}
      }
      const session = new library.PersistentSession(new Client());
      let refused = false;
      try { new library.PersistentSession(new Client(), { sessionTimeoutMs: -1 }); } catch (error) {
        refused = library.isSessionError(error) && error.code === 'CONFIGURATION';
      }
      const http = ${load("'wwebjs-persistent-session/http'")};
      const handler = http.createSessionHandler(session, { auth: 'none' });
      const probe = await handler(new Request('http://localhost/healthz'));
      // As if a start were under way: before one, the session holds every QR back.
      EventEmitter.prototype.emit.call(session.client, 'qr', '2@smoke');
      const qr = await handler(new Request('http://localhost/api/whatsapp/persistent-session/qr.svg'));
      let openDoor = false;
      try { http.createSessionHandler(session, {}); openDoor = true; } catch {}
      if (probe.status !== 200 || !(await qr.text()).startsWith('<svg') || openDoor) {
        throw new Error(JSON.stringify({ probe: probe.status, qr: qr.status, openDoor }));
      }
      handler.close();
      const loaded = Object.keys((${load("'node:module'")}).default?._cache ?? (${load("'node:module'")})._cache ?? {});
      const heavy = loaded.filter((path) => /node_modules.(archiver|unzipper|puppeteer)/.test(path));
      if (session.state !== 'idle' || !refused || heavy.length > 0) {
        throw new Error(JSON.stringify({ state: session.state, refused, heavy }));
      }
      await start(library, ${load("'wwebjs-persistent-session/testing'")}, ${load("'node:fs'")});
    }
    async function start({ PersistentSession, listClients }, { FakeClient, FakeWhatsApp }, { mkdtempSync, rmSync }) {
      const folder = mkdtempSync('smoke-session-');
      const whatsApp = new FakeWhatsApp();
      const open = () => {
        const client = new FakeClient({ whatsApp, localAuth: { dataPath: folder + '/auth', clientId: 'smoke' } });
        const options = { sessionPath: folder + '/session', backupPath: folder + '/backup', shutdownSignals: [] };
        return { client, session: new PersistentSession(client, options) };
      };
      const first = open();
      await first.session.initialize();
      await first.client.scan();
      await first.session.destroy();
      const second = open();
      await second.session.initialize();
      const { state } = second.session;
      const { sound } = await second.session.verify();
      await second.session.destroy();
      const ids = [];
      for await (const { clientId } of listClients({ sessionPath: folder + '/session', backupPath: folder + '/backup' })) {
        ids.push(clientId);
      }
      rmSync(folder, { recursive: true, force: true });
      if (state !== 'ready' || sound.length === 0 || whatsApp.codes !== 1 || ids.join() !== 'smoke') {
        throw new Error(JSON.stringify({ state, sound: sound.length, codes: whatsApp.codes, ids }));
      }
    }
  `;
}

function typeCheck(name: string, resolution: readonly string[]): void {
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules', '@types')];
  const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,esnext.disposable'];
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, 'consumer.ts', ...strict, ...types, ...resolution];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`a consumer with moduleResolution ${name} fails:\n${stdout}${stderr}`);
  console.log(`types under moduleResolution ${name}: found`);
}

/** Refuses docstrings that cite a page in docs/, because the package does not contain docs/. */
function checkDocstrings(): void {
  const dist = join(folder, 'node_modules', 'wwebjs-persistent-session', 'dist');
  const typings = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.d\.c?ts$/.test(path),
  );
  if (typings.length === 0) throw new Error('the package has no types');
  const citing = typings.filter((path) => /\bdocs\//.test(readFileSync(join(dist, path), 'utf8')));
  if (citing.length > 0) throw new Error(`these types cite a page of docs/: ${citing.join(', ')}`);
  console.log(`docstrings of ${typings.length} files of types: cite nothing that the package lacks`);
}

/** Refuses a second copy of what whatsapp-web.js brings along. */
function checkTree(tarball: string): void {
  const bot = join(folder, 'bot');
  mkdirSync(bot);
  writeFileSync(join(bot, 'package.json'), JSON.stringify({ name: 'bot', private: true }));
  const { packages: ours } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  const client = `whatsapp-web.js@${ours['node_modules/whatsapp-web.js']?.version}`;
  const how = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  execFileSync(npm, [...how, join(folder, tarball), client], {
    cwd: bot,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { packages } = JSON.parse(readFileSync(join(bot, 'package-lock.json'), 'utf8')) as Lock;
  const copies = Object.keys(packages).filter((path) =>
    /(^|\/)node_modules\/(archiver|unzipper)$/.test(path),
  );
  if (copies.sort().join() !== 'node_modules/archiver,node_modules/unzipper') {
    throw new Error(`a bot gets more than one copy of a package: ${copies.join(', ')}`);
  }
  console.log(`beside ${client}: one archiver ${packages['node_modules/archiver']?.version}, one unzipper`);
}

function run(node: string, script: string): void {
  const times = [measure(node, [script])];
  while (times.length < IMPORTS) times.push(measure(node, [script, 'import']));
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const best = Math.min(...times);
  console.log(`${script} on node ${version}: import in ${best.toFixed(1)} ms`);
  // Only a warning, because the time on a busy machine says nothing about the package.
  if (best > IMPORT_BUDGET_MS) console.warn(`IMPORTING TOOK MORE THAN ${IMPORT_BUDGET_MS} ms`);
}

/** Runs the script; returns how long its import took. */
function measure(node: string, args: readonly string[]): number {
  const options = { cwd: folder, encoding: 'utf8', timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(node, args, options);
  if (status !== 0) throw new Error(`${args.join(' ')} failed on ${node}:\n${stdout}${stderr}`);
  return (JSON.parse(stdout) as { importMs: number }).importMs;
}
