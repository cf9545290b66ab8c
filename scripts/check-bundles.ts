/**
 * Bundles a small bot with each bundler and runs the bundle in a folder without node_modules, with and without the
 * library's worker file beside it. Then does this for the Next.js example, with the same bot in a route.
 *
 * `--only <word>` selects the bundlers whose name contains the word. `--next all` builds the example with both
 * builders, with the library inside and outside the bundle; `--next no` leaves it out. Default: Turbopack, inside.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { transformSync } from 'esbuild';
import { BUNDLERS } from './bundles/bundlers.js';
import { type Builder, buildNext, installNext, runInNext } from './bundles/next.js';
import { assertNoThread, assertThread, type Report } from './bundles/report.js';

const RUN_DEADLINE_MS = 60_000;
const PARTS = fileURLToPath(new URL('bundles', import.meta.url));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, next: { type: 'string', default: 'one' } },
});
const home = mkdtempSync(join(tmpdir(), 'wwebjs-bundles-'));
const failures: string[] = [];
try {
  const app = join(home, 'app');
  const { tarball, packed } = installPackage(app);
  const worker = join(home, 'kept', 'worker.cjs');
  cpSync(join(packed, 'dist', 'worker.cjs'), worker);
  const sources = { esm: join(app, 'bot.mjs'), cjs: join(app, 'bot.cjs') };
  copyFileSync(join(PARTS, 'bot.mjs'), sources.esm);
  copyFileSync(join(PARTS, 'scenario.mjs'), join(app, 'scenario.mjs'));
  for (const name of ['bot', 'scenario']) {
    const { code } = transformSync(readFileSync(join(PARTS, `${name}.mjs`), 'utf8'), { format: 'cjs' });
    writeFileSync(join(app, `${name}.cjs`), code.replace('./scenario.mjs', './scenario.cjs'));
  }

  const bundles = new Map<string, string>();
  for (const { name, source, bundle } of BUNDLERS.filter(({ name }) => name.includes(values.only))) {
    await step(`${name}: builds`, async () => {
      bundles.set(name, await bundle(sources[source], join(home, `bundle-${bundles.size}`)));
    });
  }
  if (values.next !== 'no') await checkNext(tarball, values.next === 'all');
  // Moved away, because a bundle must not need files from the folder where it was built.
  renameSync(app, join(home, 'gone'));
  for (const [name, file] of bundles) {
    await step(`${name}: runs with the worker`, () => assertThread(run(file, worker)));
    await step(`${name}: runs without the worker`, () => assertNoThread(run(file)));
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`\nfailed:\n${failures.join('\n')}`);
  process.exitCode = 1;
}

/** Installs the packed package in its own project, with its dependencies and without the peer. */
function installPackage(app: string): { readonly tarball: string; readonly packed: string } {
  mkdirSync(app);
  execFileSync(npm, ['pack', '--silent', '--pack-destination', app], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(app).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'bot', private: true }));
  const install = [
    'install',
    '--no-audit',
    '--no-fund',
    '--silent',
    '--legacy-peer-deps',
    '--prefer-offline',
  ];
  execFileSync(npm, [...install, `./${tarball}`], { cwd: app, stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    tarball: join(app, tarball),
    packed: join(app, 'node_modules', 'wwebjs-persistent-session'),
  };
}

async function checkNext(tarball: string, all: boolean): Promise<void> {
  const app = join(home, 'next');
  await step('next: installs', () => installNext(app, tarball, npm));
  for (const builder of (all ? ['turbopack', 'webpack'] : ['turbopack']) satisfies Builder[]) {
    for (const isBundled of all ? [true, false] : [true]) {
      const name = `next, ${builder}, the library ${isBundled ? 'inside' : 'outside'}`;
      await step(`${name}: builds`, () => buildNext(app, builder, isBundled));
      await step(`${name}: runs`, () => runInNext(app, join(home, `${builder}-${isBundled}`), isBundled));
    }
  }
}

async function step(name: string, work: () => unknown): Promise<void> {
  const startedAt = performance.now();
  try {
    await work();
    console.log(`ok    ${name} (${Math.round(performance.now() - startedAt)} ms)`);
  } catch (error) {
    failures.push(name);
    console.error(`FAIL  ${name}\n${error instanceof Error ? error.message : error}`);
  }
}

/** Runs a copy of the bundle in a folder that contains nothing else except the worker, if it is given. */
function run(bundle: string, worker?: string): Report {
  const folder = mkdtempSync(join(home, 'run-'));
  cpSync(dirname(bundle), folder, { recursive: true });
  if (worker !== undefined) copyFileSync(worker, join(folder, 'worker.cjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [basename(bundle), join(folder, 'data')], {
    cwd: folder,
    encoding: 'utf8',
    timeout: RUN_DEADLINE_MS,
  });
  if (status !== 0) throw new Error(`it ended with ${status}:\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Report;
}
