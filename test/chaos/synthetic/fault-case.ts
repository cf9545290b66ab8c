import { describeError, errnoOf, isSessionError } from '../../../src/errors.js';
import type { FaultOperation, FaultScenario } from './fault-scenarios.js';
import { type FaultBot, FaultStage, FOLDER, PLACES } from './fault-stage.js';
import { ABSENT, digestOfProfile, seeSnapshots } from './world.js';

/** The failing call: only the n-th one, or, as if the process died there, every call from the n-th on. */
export interface Fault {
  readonly errno: string;
  readonly failOn: number;
}

export interface FaultOutcome {
  /** `done`, `skipped: <reason>`, `failed: <code>`, or `untouched` if there is no n-th call. */
  readonly kind: string;
  /** The call that failed, for example `rename /bot/...`. */
  readonly call: string;
  readonly violations: readonly string[];
}

const MAX_CAUSES = 10;

/** Runs one operation with one fault, and checks everything that must hold afterwards. */
export async function runFaultCase(
  operation: FaultOperation,
  scenario: FaultScenario,
  { errno, failOn }: Fault,
): Promise<FaultOutcome> {
  const violations: string[] = [];
  const unhandled = (error: unknown) => violations.push(`unhandled rejection: ${error}`);
  process.on('unhandledRejection', unhandled);
  let kind = 'broken';
  let call = '';
  try {
    const stage = await FaultStage.from(scenario.image, scenario.now);
    const bot = stage.bot(scenario.keepLast);
    await scenario.prepare(bot);
    const before = await digestOfProfile(stage.disk, PLACES.profileDir);
    stage.fs.arm({ errno, failOn });
    kind = await settle(stage, scenario.act(bot), errno, violations);
    const failed = stage.fs.calls.find((one) => one.failed);
    call = failed === undefined ? '' : `${failed.operation} ${failed.paths.join(' -> ')}`;
    stage.fs.arm({});
    if (failed === undefined) kind = 'untouched';
    if (bot.codes > 0) violations.push('a QR was shown although there is a login');
    if (operation === 'stop') kind = await judgeStop(bot, kind, violations);
    await judgeDisk(stage, operation, new Set([before, ...scenario.allowed]), violations);
    if (operation === 'clear' && kind.startsWith('failed')) await clearAgain(stage, bot, violations);
    await bot.stop();
    await judgeNextRun(stage, operation, violations);
  } catch (error) {
    violations.push(
      `the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  return { kind, call, violations };
}

/** How the operation ended; an error must be typed and have the system's error as its cause. */
async function settle(
  stage: FaultStage,
  work: Promise<unknown>,
  errno: string,
  violations: string[],
): Promise<string> {
  try {
    const result = await stage.finish(work);
    const skipped = (result as { skipped?: string } | undefined)?.skipped;
    if (skipped !== undefined && skipped !== 'no-space')
      violations.push(`skipped as ${skipped}, and no error`);
    return skipped === undefined ? 'done' : `skipped: ${skipped}`;
  } catch (error) {
    if (!isSessionError(error)) violations.push(`an error that is not typed: ${error}`);
    else if (!hasCause(error, errno))
      violations.push(`${error.code} without ${errno} as its cause: ${error}`);
    return `failed: ${describeError(error).code}`;
  }
}

function hasCause(error: unknown, errno: string): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (errnoOf(current) === errno) return true;
    current = current.cause;
  }
  return false;
}

async function judgeStop(bot: FaultBot, kind: string, violations: string[]): Promise<string> {
  const { state } = bot.session;
  if (state !== 'stopped') violations.push(`destroy() ended in ${state}`);
  const [failure] = bot.failures;
  return failure === undefined ? kind : `announced: ${failure.code}`;
}

async function judgeDisk(
  stage: FaultStage,
  operation: FaultOperation,
  allowed: ReadonlySet<string>,
  violations: string[],
): Promise<void> {
  const digest = await digestOfProfile(stage.disk, PLACES.profileDir);
  if (!allowed.has(digest)) violations.push(`the profile is neither old nor new (${digest.slice(0, 12)})`);
  const { problems, snapshots } = await seeSnapshots(stage.disk, FOLDER);
  violations.push(...problems);
  if (operation === 'clear') {
    if (digest === ABSENT && snapshots.length > 0) violations.push('cleared, and snapshots are still listed');
  } else if (operation !== 'first-start' && snapshots.length === 0) violations.push('no snapshot is left');
}

async function clearAgain(stage: FaultStage, bot: FaultBot, violations: string[]): Promise<void> {
  await stage.finish(bot.session.clear());
  const digest = await digestOfProfile(stage.disk, PLACES.profileDir);
  const { snapshots } = await seeSnapshots(stage.disk, FOLDER);
  if (digest !== ABSENT || snapshots.length > 0) violations.push('the second clear() leaves something');
}

/** Checks that a new process with a working disk is ready without a QR and can save. */
async function judgeNextRun(
  stage: FaultStage,
  operation: FaultOperation,
  violations: string[],
): Promise<void> {
  const isCleared =
    (await digestOfProfile(stage.disk, PLACES.profileDir)) === ABSENT && operation === 'clear';
  const next = stage.bot();
  await next.start();
  if (isCleared !== next.codes > 0) violations.push(`the next run showed ${next.codes} QR codes`);
  if (!isCleared) {
    if (next.session.state !== 'ready') violations.push(`the next run is ${next.session.state}`);
    await next.write(5);
    const saved = await stage.finish(next.session.forceSave());
    if ('skipped' in saved) violations.push(`the next save was skipped: ${saved.skipped}`);
  }
  await next.stop();
}
