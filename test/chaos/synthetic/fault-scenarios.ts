import { join } from 'node:path';
import { writeFakeProfile } from '../../../src/testing/fake-profile.js';
import { type DiskImage, type FaultBot, FaultStage, FOLDER, PLACES } from './fault-stage.js';
import { ABSENT, digestOfProfile } from './world.js';

export const FAULT_OPERATIONS = [
  'force-save',
  'backup',
  'restore',
  'prune',
  'clear',
  'first-start',
  'restoring-start',
  'stop',
  'import',
] as const;

const OLD_SESSION = join(FOLDER, 'old', 'session-shop');
export type FaultOperation = (typeof FAULT_OPERATIONS)[number];

/** An operation with the disk before it and the allowed profiles after it. */
export interface FaultScenario {
  readonly image: DiskImage;
  readonly now: number;
  readonly keepLast: number;
  /** Brings the bot to the beginning of the operation, without faults. */
  readonly prepare: (bot: FaultBot) => Promise<void>;
  readonly act: (bot: FaultBot) => Promise<unknown>;
  /** Digests that the profile may have afterwards, in addition to the one before. */
  readonly allowed: ReadonlySet<string>;
}

type Scenarios = Readonly<Record<FaultOperation, FaultScenario>>;

/** Prepares two disks: one of a bot that never used the library, and one with saves and backups of two generations. */
export async function prepareScenarios(): Promise<Scenarios> {
  const now = Date.now() + 2 * 60 * 60 * 1000;
  const fresh = FaultStage.empty();
  await writeFakeProfile(fresh.disk, PLACES.profileDir, { credential: 'credential-1', note: 'before' });
  const used = await FaultStage.from(await fresh.image(), now - 60 * 60 * 1000);
  const bot = used.bot();
  await bot.start();
  const digests = new Set<string>();
  let oldest: string | undefined;
  for (const generation of [1, 2]) {
    await bot.write(generation);
    const saved = await used.finish(bot.session.forceSave());
    if ('snapshot' in saved) oldest ??= saved.snapshot.id;
    await used.finish(bot.session.backup());
    digests.add(await digestOfProfile(used.disk, PLACES.profileDir));
    await used.clock.advance(60_000);
  }
  await bot.stop();
  if (oldest === undefined) throw new Error('nothing was saved');
  const restored = oldest;
  await used.disk.promises.mkdir(join(PLACES.profileDir, 'Default/Cache'), { recursive: true });
  await used.disk.promises.writeFile(join(PLACES.profileDir, 'Default/Cache/data_0'), 'cache');
  const image = await used.image();
  const withoutProfile = new Map([...image].filter(([path]) => !path.startsWith(`${PLACES.profileDir}/`)));

  const moving = await FaultStage.from(image, now);
  await writeFakeProfile(moving.disk, OLD_SESSION, { credential: 'credential-1', note: 'old' });
  const imported = await digestOfProfile(moving.disk, OLD_SESSION);

  const none = async () => undefined;
  const running = async (one: FaultBot) => {
    await one.start();
    await one.write(4);
  };
  const usual = { image, now, keepLast: 10, prepare: running, allowed: new Set<string>() };
  return {
    'force-save': { ...usual, act: ({ session }) => session.forceSave() },
    backup: { ...usual, act: ({ session }) => session.backup() },
    // Other digests are refused: another snapshot, restored by the next start, would hide the loss of the profile.
    restore: {
      ...usual,
      allowed: new Set([...digests].slice(0, 1)),
      act: ({ session }) => session.restore(restored),
    },
    prune: { ...usual, prepare: none, keepLast: 1, act: ({ session }) => session.prune() },
    clear: { ...usual, allowed: new Set([ABSENT]), act: ({ session }) => session.clear() },
    'first-start': {
      ...usual,
      image: await fresh.image(),
      prepare: none,
      act: ({ session }) => session.initialize(),
    },
    'restoring-start': {
      ...usual,
      image: withoutProfile,
      prepare: none,
      allowed: digests,
      act: ({ session }) => session.initialize(),
    },
    stop: { ...usual, act: ({ session }) => session.destroy() },
    import: {
      ...usual,
      image: await moving.image(),
      allowed: new Set([imported]),
      act: ({ session }) => session.importSession(OLD_SESSION),
    },
  };
}
