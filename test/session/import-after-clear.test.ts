import { describe, expect, it } from 'vitest';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, BEN } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

const OLD = '/tmp-of-the-container/RemoteAuth-shop';

describe('the lines of moving in stay in the bot', () => {
  const stage = useFakeStage();

  it.each([
    { ends: 'clear()', noteSurvives: false },
    { ends: 'clear({ logout: true })', noteSurvives: false },
    { ends: 'clear()', noteSurvives: true },
    { ends: 'the folder deleted after client.destroy()', noteSurvives: false },
  ])(
    '$ends, another account scans, redeploy (note beside the old session survives: $noteSurvives)',
    async ({ ends, noteSurvives }) => {
      const { fs, whatsApp } = stage();
      const old = whatsApp.pair(ANNA); // what the store of RemoteAuth holds
      /** store.extract(): a folder of the container, which a redeploy begins anew. */
      const extract = async () => {
        if (!noteSurvives) await stage().remove('/tmp-of-the-container');
        else await stage().remove(OLD);
        await writeFakeProfile(fs, OLD, old);
      };
      /** The start of the bot, the same at every deploy. */
      const deploy = async () => {
        const bot = stage().bot();
        await extract();
        await bot.finish(bot.session.importSession(OLD));
        await bot.start();
        return bot;
      };

      const first = await deploy();
      expect(first.client.info?.wid._serialized).toBe(ANNA);
      await stage().clock.advance(20_000);
      if (ends.startsWith('clear')) {
        await first.finish(first.session.clear(ends.includes('logout') ? { logout: true } : {}));
        await first.stop();
      } else {
        await first.finish(first.client.destroy());
        await stage().remove(first.client.profileDir);
        await stage().clock.advance(3_000);
        await first.until('quiet', () => true);
      }
      // The create route of the same gateway: a new customer, another account.
      const second = stage().bot();
      await second.logIn(BEN);
      await stage().clock.advance(20_000);
      await second.backUp('of Ben');
      await second.stop();

      const third = await deploy();
      expect([third.state, third.client.info?.wid._serialized]).toEqual(['ready', BEN]);
    },
  );
});
