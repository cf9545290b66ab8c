import { describe, expect, it } from 'vitest';
import wweb from 'whatsapp-web.js';
import { launchesBrowser, navigatesByPage } from '../../src/client/hold-navigation.js';
import { FakeClient } from '../../src/testing/fake-client.js';

class Plain {
  pupPage: { goto(url: string): Promise<void> } | undefined;

  async initialize(page: { goto(url: string): Promise<void> }): Promise<void> {
    this.pupPage = page;
    await page.goto('https://web.whatsapp.com/');
  }
}

class Derived extends Plain {
  override async initialize(page: { goto(url: string): Promise<void> }): Promise<void> {
    await super.initialize(page);
  }
}

class SetsItTooLate extends Object {
  pupPage: unknown;

  async initialize(page: { goto(url: string): Promise<void> }): Promise<void> {
    await page.goto('https://web.whatsapp.com/');
    this.pupPage = page;
  }
}

class OpensItsPageInAnotherWay {
  pupPage: unknown;

  async initialize(page: { open(url: string): Promise<void> }): Promise<void> {
    this.pupPage = page;
    await page.open('https://web.whatsapp.com/');
  }
}

describe('whether the page of a client can be held', () => {
  it.each([
    ['whatsapp-web.js', Object.create(wweb.Client.prototype), true],
    ['a class derived from it', Object.create(class extends wweb.Client {}.prototype), true],
    ['the fake client', Object.create(FakeClient.prototype), true],
    ['a client of the same kind', new Plain(), true],
    ['one derived from it', new Derived(), true],
    [
      'one that has its own initialize()',
      Object.assign(new Plain(), { initialize: async () => undefined }),
      true,
    ],
    ['one that sets its page too late', new SetsItTooLate(), false],
    ['one that never calls goto()', new OpensItsPageInAnotherWay(), false],
    ['one whose code is not known', { initialize: new Plain().initialize.bind(new Plain()) }, false],
    ['one without initialize()', {}, false],
  ])('%s', (_, client, known) => {
    expect(navigatesByPage(client)).toBe(known);
  });

  it.each(['browserWSEndpoint', 'browserURL'])('not in a browser that runs already: %s', (option) => {
    const whatsApp = {};
    const client = (puppeteer: object) => Object.assign(new Plain(), { whatsApp, options: { puppeteer } });
    expect(launchesBrowser(client({}) as never)).toBe(true);
    expect(launchesBrowser(client({ [option]: 'ws://127.0.0.1:9222' }) as never)).toBe(false);
  });
});
