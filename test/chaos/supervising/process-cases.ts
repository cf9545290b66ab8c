import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { shutdownBudgetMs } from '../../../src/platform.js';
import type { SessionState } from '../../../src/state.js';
import type { BotProcessOptions } from '../../e2e/children/bot-process.js';
import { withDeadline } from '../../simulator/waiting.js';
import type { BotProcess } from '../../support/bot-process.js';
import { browsersLeft, browsersOf } from './browsers.js';
import type { SuperviseCase } from './case.js';
import type { SuperviseScene } from './scene.js';

const STARTED: readonly SessionState[] = ['restoring', 'starting', 'authenticated', 'ready'];
/** The time that node itself needs to end, in addition to the session's budget. */
const MARGIN_MS = 2_000;

/** The process ends by a hard kill, or by SIGTERM in each state. The next process must find everything. */
export const PROCESS_CASES: readonly SuperviseCase[] = [
  {
    name: 'node killed (SIGKILL), its browser left as an orphan',
    expected: { states: STARTED },
    run: async (scene) => {
      await scene.loggedInOnce();
      const child = scene.child();
      await child.waitFor('initialized');
      child.kill('SIGKILL');
      await child.exit;
      const orphans = await browsersOf(scene.folder);
      assert.notEqual(orphans.length, 0, 'the browser has outlived its node');
      await startAgain(scene);
      const still = (await browsersOf(scene.folder)).filter((pid) => orphans.includes(pid));
      assert.deepEqual(still, [], 'the orphan is ended');
      scene.notes.push(`ended an orphan of ${orphans.length} processes`);
    },
  },
  whenEntered('restoring'),
  {
    ...whenEntered('restore:started'),
    name: 'SIGTERM in restoring, while a snapshot is being restored',
    run: async (scene) => {
      const { profileDir } = await scene.loggedInOnce();
      await rm(profileDir, { recursive: true });
      await terminated(scene, scene.child({ terminateIn: 'restore:started' }), { finalSave: false });
      await startAgain(scene);
    },
  },
  whenEntered('starting'),
  {
    name: 'SIGTERM in awaiting_qr',
    expected: { states: ['restoring', 'starting', 'awaiting_qr'], qrs: 1 },
    run: async (scene) => {
      await terminated(scene, scene.child({ terminateIn: 'awaiting_qr' }), { finalSave: false });
      await startAgain(scene);
    },
  },
  whenEntered('authenticated'),
  {
    name: 'SIGTERM in authenticated, right after the scan',
    expected: { states: STARTED },
    run: async (scene) => {
      const child = scene.child({ terminateIn: 'authenticated' });
      await child.waitFor('qr');
      await scene.simulator.scan();
      await terminated(scene, child, { finalSave: false });
      await startAgain(scene);
    },
  },
  whenEntered('ready', true),
  {
    name: 'SIGTERM in degraded',
    expected: { states: STARTED },
    run: async (scene) => {
      const child = await readyChild(scene);
      await scene.simulator.timeout();
      await child.waitFor('state:changed', ({ to }) => to === 'degraded');
      child.kill('SIGTERM');
      await terminated(scene, child, { finalSave: true });
      await startAgain(scene);
    },
  },
  {
    name: 'SIGTERM in reconnecting, before the first attempt',
    expected: { states: STARTED },
    run: async (scene) => {
      const child = await readyChild(scene, { session: { reconnectDelayMs: 120_000 } });
      await killBrowserOf(child);
      await child.waitFor('reconnect:scheduled');
      child.kill('SIGTERM');
      await terminated(scene, child, { finalSave: true });
      await startAgain(scene);
    },
  },
  {
    name: 'SIGTERM in reconnecting, without network',
    expected: { states: STARTED },
    run: async (scene) => {
      const child = await readyChild(scene, { session: { reconnectDelayMs: 100 } });
      await scene.simulator.goOffline();
      await killBrowserOf(child);
      await child.waitFor('reconnect:attempted', ({ cause }) => cause === 'network-down');
      child.kill('SIGTERM');
      await terminated(scene, child, { finalSave: false });
      await scene.simulator.goOnline();
      await startAgain(scene);
    },
  },
  ...[1, 2, 3].map(atRandomMoment),
];

function whenEntered(moment: BotProcessOptions['terminateIn'] & string, finalSave = false): SuperviseCase {
  return {
    name: `SIGTERM in ${moment}`,
    expected: { states: STARTED },
    run: async (scene) => {
      await scene.loggedInOnce();
      await terminated(scene, scene.child({ terminateIn: moment }), { finalSave });
      await startAgain(scene);
    },
  };
}

function atRandomMoment(number: number): SuperviseCase {
  return {
    name: `SIGTERM at a random moment of a start (${number})`,
    expected: { states: STARTED },
    run: async (scene) => {
      await scene.loggedInOnce();
      const child = scene.child();
      await child.waitFor('state:changed');
      const delayMs = scene.dice.below(2_000);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGTERM');
      scene.notes.push(`after ${delayMs} ms`);
      await terminated(scene, child, {});
      await startAgain(scene);
    },
  };
}

async function readyChild(scene: SuperviseScene, options?: BotProcessOptions): Promise<BotProcess> {
  await scene.loggedInOnce();
  const child = scene.child(options);
  await child.waitFor('initialized');
  return child;
}

/** Checks that the process ends by the signal, in time, and leaves nothing behind. */
async function terminated(
  scene: SuperviseScene,
  child: BotProcess,
  { finalSave }: { readonly finalSave?: boolean },
): Promise<void> {
  const budgetMs = shutdownBudgetMs(process.env) + MARGIN_MS;
  await child.waitFor('state:changed', ({ to }) => to === 'stopping' || to === 'stopped');
  const exit = await withDeadline(
    child.exit,
    budgetMs,
    `the end of the process, its last words: ${child.lines.at(-1)?.name}`,
  );
  assert.deepEqual(exit, { code: null, signal: 'SIGTERM' });
  assert.equal((await browsersLeft(scene.folder)).length, 0, 'the process left Chromium behind');
  assert.deepEqual(await leasesHeld(scene.folder), [], 'every lease is released');
  const isSaved = child.lines.some(({ name, payload }) => name === 'save:completed' && isCold(payload));
  if (finalSave !== undefined)
    assert.equal(isSaved, finalSave, `a final save: ${isSaved}; expected: ${finalSave}`);
  scene.notes.push(isSaved ? 'final save' : 'no final save', 'ended by SIGTERM');
}

/** Starts a new process on the remaining files. */
async function startAgain(scene: SuperviseScene): Promise<void> {
  const bot = scene.bot();
  scene.watch(bot);
  await bot.session.initialize();
}

async function killBrowserOf(child: BotProcess): Promise<void> {
  const { payload } = await child.waitFor('initialized');
  process.kill(Number(payload.browser), 'SIGKILL');
}

/** The lease files below `folder` that their owner has not released. */
async function leasesHeld(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.lease'));
  assert.notEqual(files.length, 0, 'there are leases to look at');
  const held: string[] = [];
  for (const file of files) {
    const { released } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { released: boolean };
    if (!released) held.push(file);
  }
  return held;
}

function isCold(payload: Readonly<Record<string, unknown>>): boolean {
  return (payload.snapshot as { capture?: string } | undefined)?.capture === 'cold';
}
