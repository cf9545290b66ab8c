import { describe, expect, it } from 'vitest';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('a session that was lost', () => {
  const stage = useFakeStage();

  // The lease beats every five seconds of 42 hours.
  it('counts a QR that waits for its owner as up: the attempts are fresh after a while', {
    timeout: 300_000,
  }, async () => {
    const bot = stage().bot({ session: { ...BY_HAND, maxReconnectAttempts: 2 } });
    await bot.start();
    for (let round = 2; round <= 8; round++) {
      await stage().clock.advance(6 * 3_600_000);
      expect(bot.session.status().reconnect.attempt).toBe(0);
      bot.client.pupBrowser?.kill();
      await bot.until('a fresh QR', () => bot.codes.length === round || bot.state === 'failed');
    }
    expect(bot.state).toBe('awaiting_qr');
    await stage().clock.advance(120_000);
    await bot.client.scan();
    await bot.untilState('ready'); // what was used up before the QR waited is not counted after its scan
    expect(bot.session.status().reconnect.attempt).toBe(0);
  });
});
