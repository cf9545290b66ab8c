import { describe, expect, it } from 'vitest';
import { FileSystemStore } from '../../src/index.js';
import { writeFakeProfile } from '../../src/testing/fake-profile.js';
import { ANNA, accountOf, BEN } from '../support/accounts.js';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { marksIn } from '../support/marks-in.js';

describe('a login that a person has brought back with restore(id)', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: BY_HAND });

  /** Anna's login was logged out on the phone, or so it seemed; Ben's came after it. */
  async function revokedThenBen(): Promise<string> {
    const bot = newBot();
    await bot.logIn(ANNA);
    await stage().clock.advance(100_000);
    const { id } = await bot.save('anna');
    await bot.stop();
    const { lineage = '' } = bot.session.status();
    const store = new FileSystemStore('/bot/session/store', { fs: stage().fs });
    await marksIn(store, 'shop').revoke(lineage, { cause: 'phone', at: new Date().toISOString() });
    await stage().remove('/bot/auth');
    const ben = newBot();
    await ben.logIn(BEN);
    await stage().clock.advance(100_000);
    await ben.save('ben');
    await ben.stop();
    return id;
  }

  it('although it was revoked, is still in place at the next start, before its first save', async () => {
    const id = await revokedThenBen();
    const bot = newBot();
    await bot.finish(bot.session.restore(id));
    for (let start = 0; start < 2; start++) {
      const next = newBot();
      await next.start();
      expect([next.state, accountOf(next), next.payloads('restore:started')]).toEqual(['ready', ANNA, []]);
      stage().fs.arm({ path: '/session/store', failOn: 1, times: Number.POSITIVE_INFINITY });
      await next.stop();
      stage().fs.arm({});
    }
  });

  it.each(['revoked', 'not revoked'])('and is %s, is what restore() without an id takes', async (kind) => {
    let id = '';
    if (kind === 'revoked') id = await revokedThenBen();
    else {
      const anna = newBot();
      await anna.logIn(ANNA);
      await stage().clock.advance(100_000);
      id = (await anna.save('anna')).id;
      await anna.stop();
      const profile = '/import/session-ben';
      await writeFakeProfile(stage().fs, profile, { ...stage().whatsApp.pair(BEN), note: 'ben' });
      const ben = newBot();
      await ben.finish(ben.session.importSession(profile));
    }
    const bot = newBot();
    await bot.finish(bot.session.restore(id));
    await bot.finish(bot.session.restore());
    await bot.start();
    expect([bot.state, accountOf(bot)]).toEqual(['ready', ANNA]);
  });
});
