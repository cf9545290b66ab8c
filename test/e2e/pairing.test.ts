import { describe, expect, it } from 'vitest';
import { waitForEvent } from '../simulator/client.js';
import { useStage } from './setup.js';

const DEADLINE_MS = 30_000;

describe('a QR that nobody scans in time', () => {
  const stage = useStage();

  it('is renewed by the page, and the new one can be scanned', async () => {
    const bot = stage.bot();
    await bot.session.initialize();
    const [old] = bot.qrCodes;
    const renewed = bot.next('qr');
    await stage.simulator.expireQr();
    const qr = String(await renewed);
    expect(qr).not.toBe(old);
    expect(bot.session.pairing?.value).toBe(qr);
    const ready = bot.next('ready');
    await stage.simulator.scan({ qr });
    await ready;
    expect(bot.payloads('warning').map(({ code }) => code)).not.toContain('pairing-expired');
  });
});

describe('a bot as it is published', () => {
  const stage = useStage();

  it('awaits client.initialize() and adds its listeners then: it hears `ready`', async () => {
    const first = stage.bot();
    await first.logIn(stage.simulator);
    await first.session.destroy();
    const bot = stage.bot();
    await bot.client.initialize();
    await waitForEvent(bot.client, 'ready', DEADLINE_MS);
    expect(bot.session.state).toBe('ready');
  });

  it('is told at once by client.initialize() that WhatsApp is unreachable, and comes up when it is back', async () => {
    const bot = stage.bot();
    await stage.simulator.goOffline();
    await expect(bot.client.initialize()).rejects.toThrow(/ERR_CONNECTION_REFUSED/);
    const qr = bot.next('qr');
    await stage.simulator.goOnline();
    await qr;
    expect(bot.session.state).toBe('awaiting_qr');
  });

  it('hears each event once, however often frames of its page navigate', async () => {
    const bot = stage.bot();
    const heard: string[] = [];
    for (const name of ['authenticated', 'ready', 'message']) bot.client.on(name, () => heard.push(name));
    await bot.session.initialize();
    await stage.simulator.waitFor('client:listening'); // it listens to navigations from now on
    await bot.client.pupPage?.evaluate(`(async () => {
      for (let frame = 0; frame < 3; frame++) {
        const element = document.body.appendChild(document.createElement('iframe'));
        await new Promise((resolve) => { element.onload = resolve; element.src = '/page/state.js?' + frame; });
        history.pushState({}, '', '/#' + frame);
      }
    })()`);
    const ready = bot.next('ready');
    await stage.simulator.scan();
    await ready;
    for (const body of ['one', 'two']) {
      const message = waitForEvent(bot.client, 'message', DEADLINE_MS);
      await stage.simulator.sendIncoming({ from: '491520000002@c.us', body });
      await message;
    }
    expect(heard).toEqual(['authenticated', 'ready', 'message', 'message']);
    expect(bot.qrCodes).toHaveLength(1);
  });
});
