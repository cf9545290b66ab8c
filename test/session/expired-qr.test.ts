import { describe, expect, it } from 'vitest';
import { createSessionHandler } from '../../src/http/index.js';
import { BY_HAND } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('a QR that nobody scans', () => {
  const stage = useFakeStage();

  async function waitingBot(client: object = {}) {
    const bot = stage().bot({ client, session: BY_HAND });
    await bot.start();
    return bot;
  }

  it('is replaced when it has expired, again and again, and the new one can be scanned', async () => {
    const bot = await waitingBot();
    for (let round = 2; round <= 12; round++) {
      bot.client.expireQr();
      await bot.until('a new QR', () => bot.codes.length === round);
      expect(bot.session.pairing?.value).toBe(`code-${round}`);
    }
    expect(bot.warnings).not.toContain('pairing-expired');
    await bot.client.scan();
    await bot.untilState('ready');
    expect(bot.client.launches).toBe(1);
  });

  it('is not offered as one that waits where the page gives no new one, and a warning says so once', async () => {
    const bot = await waitingBot();
    stage().whatsApp.renewsQr = false;
    let asked = 0;
    bot.client.expireQr();
    if (bot.client.pupPage) bot.client.pupPage.onRefreshQr = () => asked++;
    await bot.until('the end of the code', () => bot.session.pairing === undefined);
    await stage().clock.advance(600_000);
    expect(asked).toBe(3);
    expect(bot.warnings.filter((code) => code === 'pairing-expired')).toHaveLength(1);
    expect(bot.state).toBe('awaiting_qr');

    await bot.finish(bot.session.reconnect()); // what the warning names
    expect(bot.codes).toHaveLength(2);
    expect(bot.session.pairing?.value).toBe('code-2');
  });

  it('is offered again once the page gives one by itself after all', async () => {
    const bot = await waitingBot();
    stage().whatsApp.renewsQr = false;
    bot.client.expireQr();
    await bot.until('the warning', () => bot.warnings.includes('pairing-expired'));
    bot.client.showQr();
    expect(bot.session.pairing?.value).toBe('code-2');
  });

  it('is not asked for in a page that has no way to make one', async () => {
    const bot = await waitingBot();
    bot.client.expireQr();
    if (bot.client.pupPage) bot.client.pupPage.onRefreshQr = undefined;
    await bot.until('the warning', () => bot.warnings.includes('pairing-expired'));
    expect(bot.session.pairing).toBeUndefined();
  });

  it('is not replaced more often than the qrMaxRetries of the bot', async () => {
    const bot = await waitingBot({ qrMaxRetries: 2 });
    for (let round = 0; round < 3 && bot.state === 'awaiting_qr'; round++) {
      bot.client.expireQr();
      await stage().clock.advance(60_000);
      await bot.until('what follows', () => true);
    }
    await bot.untilState('stopped');
    expect(bot.heard.at(-1)).toEqual(['disconnected', 'Max qrcode retries reached']);
    expect(bot.codes).toHaveLength(3);
  });

  it('is left alone where a pairing code waits: the client renews that one itself', async () => {
    const bot = await waitingBot({ pairWithPhoneNumber: '4915100000001' });
    let asked = 0;
    bot.client.expireQr();
    if (bot.client.pupPage) bot.client.pupPage.onRefreshQr = () => asked++;
    await stage().clock.advance(60_000);
    expect(asked).toBe(0);
    expect(bot.session.pairing?.kind).toBe('code');
  });

  it('is dropped by the dashboard, which shows the next one', async () => {
    const bot = await waitingBot();
    const handler = createSessionHandler(bot.session, { auth: 'none', clock: stage().clock });
    const shown = async () =>
      (await handler(new Request('http://localhost/api/whatsapp/persistent-session/qr.svg'))).status;
    expect(await shown()).toBe(200);
    stage().whatsApp.renewsQr = false;
    bot.client.expireQr();
    await bot.until('the warning', () => bot.warnings.includes('pairing-expired'));
    expect(await shown()).toBe(404);
    bot.client.showQr();
    expect(await shown()).toBe(200);
    handler.close();
  });
});
