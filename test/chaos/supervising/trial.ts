import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../../simulator/server.js';
import { withDeadline } from '../../simulator/waiting.js';
import type { Dice } from '../../support/dice.js';
import { browsersLeft, endBrowsers } from './browsers.js';
import type { SuperviseCase } from './case.js';
import { type Sighting, SuperviseScene } from './scene.js';

export interface SuperviseTrial {
  readonly name: string;
  readonly happened: string;
  readonly sighting: Sighting;
  /** The number of Chromium processes that were still running when the session had ended. */
  readonly left: number;
  readonly seconds: number;
  readonly outcome: 'passed' | 'skipped' | 'failed';
  /** Why it failed or was skipped. */
  readonly problem: string;
  readonly history: readonly string[];
}

const DEADLINE_MS = 240_000;
const CLOSE_DEADLINE_MS = 90_000;
const NOTHING: Sighting = { states: [], causes: [], qrs: 0, secondsToReady: undefined };

/** Plays one case in its own scene and judges it. Never rejects. */
export async function trySuperviseCase(one: SuperviseCase, dice: Dice): Promise<SuperviseTrial> {
  const { name } = one;
  const missing = one.missing?.();
  if (missing !== undefined) {
    const skipped = { outcome: 'skipped', problem: missing, happened: missing } as const;
    return { name, sighting: NOTHING, left: 0, seconds: 0, history: [], ...skipped };
  }
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'wwebjs-supervise-'));
  const simulator = await startSimulator();
  const scene = new SuperviseScene(simulator, folder, dice);
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  const problems: string[] = [];
  const attempt = async (work: () => Promise<void>) => {
    await work().catch((error: unknown) => problems.push(messageOf(error)));
  };
  let left: number[] = [];
  const deadlineMs = one.deadlineMs ?? DEADLINE_MS;
  await attempt(() => withDeadline(one.run(scene), deadlineMs, `the case "${name}"`));
  await attempt(async () => judge(one, scene.sighting()));
  const sighting = scene.sighting();
  if (scene.isAtRest) left = await browsersLeft(folder);
  await attempt(() => withDeadline(scene.close(), CLOSE_DEADLINE_MS, 'closing the bots'));
  left.push(...(await browsersLeft(folder)));
  if (left.length > 0) problems.push(`${new Set(left).size} Chromium processes are left`);
  endBrowsers(left);
  await simulator.close();
  process.off('unhandledRejection', onUnhandled);
  for (const error of unhandled) problems.push(`an unhandled rejection: ${messageOf(error)}`);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  return {
    name,
    happened: [...sighting.states.slice(0, 9), ...scene.notes.map((note) => `(${note})`)].join(' '),
    sighting,
    left: new Set(left).size,
    seconds: (performance.now() - startedAt) / 1000,
    outcome: problems.length === 0 ? 'passed' : 'failed',
    problem: problems.join('; '),
    history: problems.length === 0 ? [] : scene.history(),
  };
}

function judge({ expected }: SuperviseCase, { states, causes, qrs }: Sighting): void {
  assert.deepEqual(
    states,
    expected.states,
    `states: ${states.join(' ')}; expected: ${expected.states.join(' ')}`,
  );
  const causesExpected = expected.causes ?? [];
  assert.deepEqual(
    causes,
    causesExpected,
    `causes: ${causes.join(' ')}; expected: ${causesExpected.join(' ')}`,
  );
  assert.equal(qrs, expected.qrs ?? 0, `${qrs} codes were shown; expected: ${expected.qrs ?? 0}`);
}

function messageOf(error: unknown): string {
  const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return firstLine;
}
