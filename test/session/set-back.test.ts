import { describe, expect, it } from 'vitest';
import { ANNA, BEN } from '../support/accounts.js';
import { BY_HAND, type FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

/** The disk of the profile is put back from an older copy; the stores have what came after it. */
describe('a disk of the profile that is set back to before another login', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: BY_HAND });

  const ends: [string, (bot: FakeBot) => Promise<unknown>][] = [
    ['was logged out by the phone', (bot) => bot.client.logOutByPhone()],
    [
      'was rejected by WhatsApp',
      async (bot) => {
        stage().whatsApp.revokeAll();
        await bot.stop();
      },
    ],
    ['was cleared and logged out', (bot) => bot.finish(bot.session.clear({ logout: true }))],
    ['was cleared', (bot) => bot.finish(bot.session.clear())],
    [
      'was removed while it ran',
      async (bot) => {
        const closing = bot.client.destroy();
        await stage().remove(bot.client.profileDir);
        await bot.finish(closing);
      },
    ],
  ];
  const answers = ends.flatMap(([how, end]) => [
    { how, end, answer: 'a QR' },
    { how, end, answer: 'a logout' },
  ]);

  it.each(answers)('where the older one $how, with $answer for it: the later one is taken', async (one) => {
    const first = newBot();
    await first.logIn(ANNA);
    await stage().clock.advance(100_000);
    await first.save('a');
    await first.backUp('a2');
    await first.stop();
    const image = await stage().copyTree('/bot/auth');
    const second = newBot();
    await second.start();
    await one.end(second);
    await second.stop();
    const third = newBot();
    await third.start();
    expect(third.state).toBe('awaiting_qr');
    await third.client.scan(BEN);
    await third.untilState('ready');
    await stage().clock.advance(100_000);
    await third.save('b');
    await third.backUp('b2');
    await third.stop();
    await stage().remove('/bot/auth');
    await image.putAt('/bot/auth');
    stage().whatsApp.answersWithLogout = one.answer === 'a logout';
    const bot = newBot();
    await bot.start();
    expect([bot.state, bot.client.info?.wid._serialized, bot.codes]).toEqual(['ready', BEN, []]);
    const saved = await bot.save('goes on');
    expect(saved.run).toBeGreaterThan(1);
  });
});
