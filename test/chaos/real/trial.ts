import { rm } from 'node:fs/promises';
import { pageState } from '../../simulator/client.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';
import type { Dice } from '../../support/dice.js';
import { PersistentBot } from '../../support/persistent-bot.js';
import type { Damage } from './damages.js';
import { copyOf, differences, type GoodProfile, profileIn } from './profiles.js';
import { countUnreadable } from './records.js';

export interface Trial {
  readonly damage: string;
  readonly file: string;
  /** How the library noticed the damage: the first finding, `absent`, a QR that it held back, or `no effect`. */
  readonly told: string;
  /** `save`, `backup`, `blobs` (only large values), or `-` if nothing had to be restored. */
  readonly restored: string;
  readonly state: string;
  /** The number of QR codes that the bot received. */
  readonly qrs: number;
  /** The differences between the data and the last snapshot, or the other login in place; empty if there are none. */
  readonly differing: readonly string[];
  readonly seconds: number;
  readonly ok: boolean;
}

export interface TrialOptions {
  readonly simulator: WhatsAppSimulator;
  readonly good: GoodProfile;
  readonly other: GoodProfile;
  readonly damage: Damage;
  /** A separate folder, which is removed afterwards. */
  readonly folder: string;
  readonly dice: Dice;
}

/** Damages a copy of an undamaged profile, starts a new bot on it, and checks the result. Never rejects. */
export async function tryDamage(options: TrialOptions): Promise<Trial> {
  const { good, other, damage, folder, dice } = options;
  let file = '?';
  try {
    await copyOf(good, folder);
    file = await damage.apply({
      profileDir: profileIn(folder),
      otherDir: profileIn(other.folder),
      olderDir: good.olderDir,
      dice,
    });
    return await startOn(options, file);
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    return {
      damage: damage.name,
      file,
      told,
      restored: '-',
      state: 'threw',
      qrs: 0,
      differing: [],
      seconds: 0,
      ok: false,
    };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function startOn(options: TrialOptions, file: string): Promise<Trial> {
  const startedAt = performance.now();
  const first = await startOnce(options);
  const seconds = (performance.now() - startedAt) / 1000;
  // A damage without effect may have one later, so the next start must find everything, too.
  const second = first.restored === '-' && first.ok ? await startOnce(options) : first;
  const { told, restored } = first;
  const { state, qrs, differing, ok } = second;
  return {
    damage: options.damage.name,
    file,
    told,
    restored,
    state,
    qrs,
    differing,
    seconds,
    ok: first.ok && ok,
  };
}

async function startOnce({ simulator, good, other, damage, folder }: TrialOptions) {
  const bot = new PersistentBot({ simulator, folder });
  try {
    await bot.session.initialize(); // needs no deadline here, because it has its own
    const { state } = bot.session;
    const qrs = bot.qrCodes.length;
    const differing =
      state === 'ready' ? await differencesOf(bot, damage.isOtherLogin ? other : good) : ['not ready'];
    const restored: string[] = bot.payloads('restore:completed').map(({ snapshot }) => snapshot.kind);
    if (missingValues(bot) !== undefined) restored.push('blobs');
    const ok = state === 'ready' && qrs === 0 && differing.length === 0;
    return { told: howItWasTold(bot), restored: restored.join(', ') || '-', state, qrs, differing, ok };
  } finally {
    await bot.session.destroy();
  }
}

async function differencesOf({ client }: PersistentBot, { truth }: GoodProfile): Promise<string[]> {
  const found = differences(truth, await pageState(client));
  const unreadable = await countUnreadable(client);
  return unreadable === 0 ? found : [...found, `${unreadable} records can't be read`];
}

function missingValues(bot: PersistentBot): string | undefined {
  return bot.payloads('warning').find(({ code }) => code === 'large-values-missing')?.message;
}

function howItWasTold(bot: PersistentBot): string {
  const [corruption] = bot.payloads('corruption:detected');
  const [restore] = bot.payloads('restore:started');
  const values = missingValues(bot);
  const silently = restore?.reason === 'silent-logout' ? 'silent-logout' : undefined;
  const [finding] = corruption?.findings ?? [];
  if (finding !== undefined)
    return `${finding.file.slice(finding.file.lastIndexOf('/') + 1)}: ${finding.problem}`;
  const isReplaced = bot.payloads('warning').some(({ code }) => code === 'profile-replaced');
  return silently ?? restore?.reason ?? values ?? (isReplaced ? 'profile-replaced' : 'no effect');
}
