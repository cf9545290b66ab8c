import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ClientDriver, type ClientSupervisor } from '../../src/client/client-driver.js';
import { type StopResult, stopClient } from '../../src/client/stop-client.js';
import { ConfigurationError } from '../../src/errors.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const SUPERVISOR: ClientSupervisor = {
  onClientEvent: () => undefined,
  mayPair: () => true,
  onBotInitialize: async () => undefined,
  onBotDestroy: async () => undefined,
  onBotLogout: async () => undefined,
};

/** puppeteer 25: `connected` is a property, `isConnected()` is gone. */
class Browser25 extends EventEmitter {
  connected = true;
  signalCode: NodeJS.Signals | null = null;
  closes = 0;
  process() {
    return { pid: undefined, exitCode: null, signalCode: this.signalCode };
  }
  async close() {
    this.closes++;
    this.connected = false;
  }
}

/** puppeteer up to 23: `isConnected()` only. */
class Browser18 extends EventEmitter {
  #connected = true;
  closes = 0;
  process() {
    return null;
  }
  isConnected() {
    return this.#connected;
  }
  async close() {
    this.closes++;
    this.#connected = false;
  }
}

/** As whatsapp-web.js 1.34.7 closes, reads and logs out its browser (src/Client.js). */
class Client extends EventEmitter {
  pupBrowser: Browser25 | Browser18 | null = null;
  launches = 0;
  isUnlinked = false;
  readonly createBrowser: () => Browser25 | Browser18;
  constructor(createBrowser: () => Browser25 | Browser18) {
    super();
    this.createBrowser = createBrowser;
  }
  async initialize() {
    this.launches++;
    this.pupBrowser = this.createBrowser();
  }
  async destroy(_stop?: boolean) {
    const browser = this.pupBrowser as Browser18 | null;
    if (browser?.isConnected?.()) await browser.close();
  }
  async logout() {
    const browser = this.pupBrowser as Browser18;
    this.isUnlinked = true;
    await browser.close();
    for (let waited = 0; browser.isConnected() && waited < 10; waited++) await Promise.resolve();
  }
  async getState() {}
  async sendMessage() {}
}

/** As @juzi/whatsapp-web.js 1.30.28: `destroy()` starts the client again, `stop()` does not. */
class JuziClient extends Client {
  override async destroy(stop = false) {
    if ((this.pupBrowser as Browser18 | null)?.isConnected()) await this.pupBrowser?.close();
    if (!stop) await this.initialize();
  }
  async stop() {
    await this.destroy(true);
  }
}

/** The same before it had a `stop()`. */
class EndlessClient extends Client {
  override async destroy() {
    await this.pupBrowser?.close();
    await this.initialize();
  }
}

async function running<C extends Client>(client: C) {
  const clock = new ManualClock();
  const driver = new ClientDriver(client, clock);
  driver.attach(SUPERVISOR);
  await driver.launch();
  const stop = (
    options: { logout?: boolean; endBrowser?: () => Promise<boolean> } = {},
  ): Promise<StopResult> =>
    stopClient({ driver, clock, deadlineMs: 1000, endBrowser: async () => false, ...options });
  return { client, driver, clock, stop, browser: client.pupBrowser };
}

describe.each([
  ['puppeteer 25, which has no isConnected()', () => new Browser25()],
  ['puppeteer 18, which has no connected', () => new Browser18()],
])('a client over %s', (_name, createBrowser) => {
  it('is closed in order, once', async () => {
    const { stop, browser, driver } = await running(new Client(createBrowser));
    expect(driver.connected).toBe(true);
    expect(await stop()).toEqual({ orderly: true });
    expect(driver.connected).toBe(false);
    expect(browser?.closes).toBe(1);
  });

  it('is closed in order where its own destroy() does nothing', async () => {
    const client = new Client(createBrowser);
    client.destroy = async () => undefined;
    const { stop, browser } = await running(client);
    expect(await stop()).toEqual({ orderly: true });
    expect(browser?.closes).toBe(1);
  });

  it('is closed in order where its own destroy() fails', async () => {
    const client = new Client(createBrowser);
    client.destroy = () => Promise.reject(new Error('the strategy failed'));
    const { stop, browser } = await running(client);
    expect(await stop()).toEqual({ orderly: true });
    expect(browser?.closes).toBe(1);
  });

  it('is unlinked without an error', async () => {
    const { stop, client } = await running(new Client(createBrowser));
    expect(await stop({ logout: true })).toEqual({ orderly: true });
    expect(client.isUnlinked).toBe(true);
  });

  it('is not closed in order when its processes had to be ended', async () => {
    const { stop } = await running(new Client(createBrowser));
    expect(await stop({ endBrowser: async () => true })).toEqual({ orderly: false });
  });
});

describe('an orderly stop', () => {
  it('is none when the browser was gone before', async () => {
    const browser = new Browser25();
    const { stop } = await running(new Client(() => browser));
    browser.connected = false;
    expect(await stop()).toEqual({ orderly: false });
  });

  it('is none when the browser was ended by a signal', async () => {
    const browser = new Browser25();
    const { stop } = await running(new Client(() => browser));
    browser.close = async () => {
      browser.connected = false;
      browser.signalCode = 'SIGKILL'; // puppeteer does so when the browser does not answer
    };
    expect(await stop()).toEqual({ orderly: false });
  });

  it('has one deadline, and is none past it', async () => {
    const browser = new Browser25();
    const { stop, clock } = await running(new Client(() => browser));
    browser.close = () => new Promise(() => undefined);
    const stopping = stop();
    await clock.advance(1000);
    expect(await stopping).toEqual({ orderly: false });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a client whose destroy() starts it again', () => {
  it('is closed by its stop(), and stays so', async () => {
    const { stop, client, browser } = await running(new JuziClient(() => new Browser18()));
    expect(await stop()).toEqual({ orderly: true });
    expect([client.launches, browser?.closes]).toEqual([1, 1]);
  });

  it("takes the bot's stop() for a stop, as its destroy()", async () => {
    const calls: string[] = [];
    const client = new JuziClient(() => new Browser18());
    const driver = new ClientDriver(client, new ManualClock());
    driver.attach({ ...SUPERVISOR, onBotDestroy: async () => void calls.push('destroy') });
    await client.stop();
    await client.destroy();
    expect(calls).toEqual(['destroy', 'destroy']);
    expect(client.launches).toBe(0);
  });

  it('is refused by name where it has no stop()', () => {
    const client = new EndlessClient(() => new Browser18());
    expect(() => new ClientDriver(client, new ManualClock())).toThrow(ConfigurationError);
    expect(() => new ClientDriver(client, new ManualClock())).toThrow(/@juzi\/whatsapp-web\.js.*stop\(\)/);
  });

  it('is left alone where a class of the bot has a stop() of another meaning', async () => {
    class Shop extends Client {
      closed = false;
      stop() {
        this.closed = true;
      }
    }
    const { stop, client } = await running(new Shop(() => new Browser18()));
    await stop();
    expect(client.closed).toBe(false);
    client.stop();
    expect(client.closed).toBe(true);
  });
});
