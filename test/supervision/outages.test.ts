import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUTAGE_CAUSES, simulateOutages } from '../chaos/synthetic/outages.js';
import { Dice } from '../support/dice.js';
import type { FakeBot } from '../support/fake-bot.js';
import { FakeStage } from '../support/fake-stage.js';

// Short versions of `npm run chaos:outages`, with fixed seeds.
const SEED = 20261125;
const PATIENCE_MS = 60_000;

describe('outages of random causes and lengths', () => {
  it(
    'end: in ready whenever they heal within the attempts, else in failed, with every delay kept and no two starts at once',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
          const { rows, violations } = await simulateOutages({ outages: 50, seed });
          expect(violations).toEqual([]);
          for (const { cause, healing, recovered } of rows)
            expect({ cause, recovered: healing }).toEqual({ cause, recovered });
        }),
        { numRuns: 12, seed: SEED },
      );
    },
    PATIENCE_MS,
  );

  it(
    'come of every cause there is, some in time and some not',
    async () => {
      const { rows } = await simulateOutages({ outages: 400, seed: SEED });
      expect(rows.map(({ cause }) => cause)).toEqual([...OUTAGE_CAUSES].sort());
      for (const { recovered, gaveUp } of rows) expect(Math.min(recovered, gaveUp)).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );
});

describe('a whole session in outages', () => {
  const faults: readonly ((bot: FakeBot) => void)[] = [
    (bot) => bot.client.pupBrowser?.kill(),
    (bot) => bot.client.pupPage?.crash(),
    (bot) => void bot.client.changeState('TIMEOUT'),
    (bot) => void bot.client.changeState('CONFLICT'),
    (bot) => void bot.client.changeState('UNPAIRED_IDLE'),
    (bot) => void bot.client.changeState('TOS_BLOCK'),
  ];

  it(
    'comes back from each while it heals within the attempts, without a QR',
    async () => {
      const stage = new FakeStage(SEED);
      const random = new Dice(SEED).next;
      const below = (end: number) => Math.floor(random() * end);
      await stage.loggedInOnce();
      const bot = stage.bot({ session: { forceSaveIntervalMs: 0, backupIntervalMs: 0 } });
      await bot.start();
      for (let outage = 0; outage < 24; outage++) {
        await stage.clock.advance(61_000);
        stage.whatsApp.offline = below(2) === 0;
        bot.client.injectError = below(3) === 0 ? 'auth timeout' : undefined;
        const { launches } = bot.client;
        faults[outage % faults.length]?.(bot);
        await bot.until('some tries', () => bot.client.launches > launches + below(2), { stepMs: 5000 });
        stage.whatsApp.offline = false;
        bot.client.injectError = undefined;
        await bot.untilState('ready', { stepMs: 5000 });
      }
      expect(bot.codes).toEqual([]);
      expect(bot.payloads('reconnect:succeeded')).toHaveLength(24);
      expect(bot.payloads('reconnect:exhausted')).toEqual([]);
      await stage.close();
      expect(stage.clock.pendingTimers).toBe(0);
    },
    PATIENCE_MS,
  );
});
