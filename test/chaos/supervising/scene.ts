import assert from 'node:assert/strict';
import type { DisconnectCause } from '../../../src/events.js';
import type { SessionState } from '../../../src/state.js';
import type { BotProcessOptions } from '../../e2e/children/bot-process.js';
import { waitForEvent } from '../../simulator/client.js';
import type { WhatsAppSimulator } from '../../simulator/server.js';
import { BotProcess } from '../../support/bot-process.js';
import type { Dice } from '../../support/dice.js';
import { PersistentBot, type PersistentBotOptions } from '../../support/persistent-bot.js';

/** What a case has observed of the watched bot. */
export interface Sighting {
  readonly states: readonly SessionState[];
  readonly causes: readonly DisconnectCause[];
  readonly qrs: number;
  /** The time from the fault to the last `ready`. */
  readonly secondsToReady: number | undefined;
}

const PATIENCE_MS = 120_000;

/** The scene of one case: a simulator, its own folder, and bots that are closed at the end. */
export class SuperviseScene {
  /** Further remarks for the table. */
  readonly notes: string[] = [];
  readonly #bots: PersistentBot[] = [];
  readonly #children: BotProcess[] = [];
  #watched: { bot: PersistentBot; events: number; qrs: number; at: number } | undefined;
  #concluded: Sighting | undefined;

  constructor(
    readonly simulator: WhatsAppSimulator,
    readonly folder: string,
    readonly dice: Dice,
  ) {}

  /** Makes a bot in the folder; each one represents a new process. */
  bot(options: Partial<PersistentBotOptions> = {}): PersistentBot {
    const bot = new PersistentBot({ simulator: this.simulator, folder: this.folder, ...options });
    this.#bots.push(bot);
    return bot;
  }

  /** A bot that has logged in and was stopped normally. */
  async loggedInOnce(): Promise<PersistentBot> {
    const bot = this.bot();
    await bot.logIn(this.simulator);
    await bot.session.destroy();
    return bot;
  }

  /** A bot that is ready with the login of an earlier run, which is completely on the disk and in a snapshot. */
  async ready(options?: Partial<PersistentBotOptions>): Promise<PersistentBot> {
    await this.loggedInOnce();
    const bot = this.bot(options);
    await bot.session.initialize();
    assert.equal(bot.session.state, 'ready', 'the case can begin');
    this.watch(bot);
    return bot;
  }

  /** A bot in its own node process. */
  child(options: BotProcessOptions = {}): BotProcess {
    const child = new BotProcess(this.folder, this.simulator.port, options);
    this.#children.push(child);
    return child;
  }

  /** Counts everything from now on. `ready()` watches its bot by itself; another call starts the count again. */
  watch(bot: PersistentBot): void {
    this.#concluded = undefined;
    this.#watched = {
      bot,
      events: bot.events.length,
      qrs: bot.qrCodes.length,
      at: performance.now(),
    };
  }

  /** Ends the counting: what follows only checks what the case has left. */
  conclude(): void {
    this.#concluded = this.sighting();
  }

  sighting(): Sighting {
    if (this.#concluded) return this.#concluded;
    if (!this.#watched) return { states: [], causes: [], qrs: 0, secondsToReady: undefined };
    const { bot, events, qrs, at } = this.#watched;
    const states: SessionState[] = [];
    const causes: DisconnectCause[] = [];
    let secondsToReady: number | undefined;
    for (const { name, payload, at: when } of bot.events.slice(events)) {
      const { to, cause } = payload as { to: SessionState; cause: DisconnectCause };
      if (name === 'state:changed') states.push(to);
      if (name === 'state:changed' && to === 'ready') secondsToReady = (when - at) / 1000;
      if (name === 'reconnect:attempted' && causes.at(-1) !== cause) causes.push(cause);
    }
    return { states, causes, qrs: bot.qrCodes.length - qrs, secondsToReady };
  }

  /** Resolves the next time the bot enters this state. Call it before the action that causes it. */
  next(bot: PersistentBot, state: SessionState): Promise<void> {
    const entered = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        bot.session.off('state:changed', look);
        reject(new Error(`not ${state} within ${PATIENCE_MS / 1000} s; it is ${bot.session.state}`));
      }, PATIENCE_MS);
      const look = ({ to }: { readonly to: SessionState }) => {
        if (to !== state) return;
        clearTimeout(timer);
        bot.session.off('state:changed', look);
        resolve();
      };
      bot.session.on('state:changed', look);
    });
    entered.catch(() => undefined); // a case that fails before it waits reports its own reason
    return entered;
  }

  /** Resolves when this many attempts to reconnect have begun. */
  async attempts(bot: PersistentBot, count: number): Promise<void> {
    for (let seen = bot.payloads('reconnect:attempted').length; seen < count; seen++) {
      await waitForEvent(bot.session, 'reconnect:attempted', PATIENCE_MS);
    }
  }

  /** Writes something new into the profile, so that the next save is not `unchanged`. */
  async news(body = 'something new'): Promise<void> {
    await this.simulator.sendIncoming({ from: '4915100000002', body });
  }

  /** Whether every bot has ended by itself; then their browsers must be gone before anybody calls `destroy()`. */
  get isAtRest(): boolean {
    return this.#bots.every(({ session }) => ['idle', 'stopped', 'failed'].includes(session.state));
  }

  /** Closes everything that the case has left open, as a user would. */
  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM');
    await Promise.all(this.#children.map((child) => child.exit));
    for (const bot of this.#bots) await bot.session.destroy();
  }

  /** All events of all bots, for a failed case. */
  history(): string[] {
    const ofBots = this.#bots.flatMap((bot, index) =>
      bot.events.map(
        ({ name, payload, at }) =>
          `bot ${index + 1}, ${(at / 1000).toFixed(2)} s: ${name} ${JSON.stringify(payload)}`,
      ),
    );
    const ofChildren = this.#children.flatMap((child) =>
      child.lines.map(({ name, payload }) => `process ${child.pid}: ${name} ${JSON.stringify(payload)}`),
    );
    return [...ofBots, ...ofChildren];
  }
}
