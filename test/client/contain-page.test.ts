import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { PageHandle } from '../../src/client/client-types.js';
import { containPage } from '../../src/client/contain-page.js';

function newPage(evaluate: () => Promise<unknown> = async () => 'answer') {
  const emitter = new EventEmitter();
  const page: PageHandle = {
    evaluate,
    on: (event, listener) => emitter.on(event, listener),
    off: (event, listener) => emitter.off(event, listener),
  };
  const contained: unknown[] = [];
  containPage(page, (error) => contained.push(error));
  return { emitter, page, contained };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a contained page', () => {
  it('reports the rejection of a handler, instead of leaving it unhandled', async () => {
    const { emitter, page, contained } = newPage();
    const error = new Error('Execution context was destroyed');
    page.on('framenavigated', async () => {
      throw error;
    });
    emitter.emit('framenavigated');
    await turn();
    expect(contained).toEqual([error]);
  });

  it('gives the handlers what happened, and lets one that throws at once throw', () => {
    const { emitter, page } = newPage();
    const heard: unknown[] = [];
    page.on('response', (response) => heard.push(response));
    emitter.emit('response', 'a', 'b');
    expect(heard).toEqual(['a']);
    page.on('response', () => {
      throw new Error('at once');
    });
    expect(() => emitter.emit('response')).toThrow('at once');
  });

  it('lets go of a handler that was there before, and of one that came after', () => {
    const emitter = new EventEmitter();
    const page: PageHandle = {
      evaluate: async () => undefined,
      on: (event, listener) => emitter.on(event, listener),
      off: (event, listener) => emitter.off(event, listener),
    };
    const before = () => undefined;
    page.on('close', before);
    containPage(page, () => undefined);
    const after = () => undefined;
    page.on('close', after);
    page.off?.('close', before);
    page.off?.('close', after);
    expect(emitter.listenerCount('close')).toBe(0);
  });

  it('works with a page that can not let go', () => {
    const page: PageHandle = { evaluate: async () => undefined, on: () => undefined };
    expect(() => containPage(page, () => undefined)).not.toThrow();
  });

  it('leaves the rejection of evaluate() to who awaits it, and to nobody else', async () => {
    const { page } = newPage(() => Promise.reject(new Error('Target closed')));
    void page.evaluate('dropped');
    await turn();
    await expect(page.evaluate('awaited')).rejects.toThrow('Target closed');
  });
});

describe('one listener on several events of a page', () => {
  it('is let go of by each of them', () => {
    const { emitter, page } = newPage();
    const listener = () => undefined;
    page.on('request', listener);
    page.on('response', listener);
    page.off?.('request', listener);
    page.off?.('response', listener);
    expect([emitter.listenerCount('request'), emitter.listenerCount('response')]).toEqual([0, 0]);
  });
});

describe('a function that the client gives the page', () => {
  async function exposed(fn: (...args: unknown[]) => unknown) {
    const given = new Map<string, (...args: unknown[]) => unknown>();
    const page: PageHandle = {
      evaluate: async () => undefined,
      on: () => undefined,
      exposeFunction: async (name, one) => given.set(name, one),
    };
    const contained: unknown[] = [];
    containPage(page, (error, name) => contained.push([name, error]));
    await page.exposeFunction?.('onAppStateHasSyncedEvent', fn);
    return {
      call: async (...args: unknown[]) => given.get('onAppStateHasSyncedEvent')?.(...args),
      contained,
    };
  }

  it('answers as it does', async () => {
    const { call, contained } = await exposed(async (one, two) => [one, two]);
    expect(await call('a', 'b')).toEqual(['a', 'b']);
    expect(contained).toEqual([]);
  });

  it.each<[string, (error: Error) => () => unknown]>([
    [
      'throws',
      (error) => () => {
        throw error;
      },
    ],
    ['rejects', (error) => () => Promise.reject(error)],
  ])('is told of by its name where it %s, and fails for the page all the same', async (_name, failing) => {
    const error = new Error("EACCES: permission denied, mkdir './.wwebjs_cache/'");
    const { call, contained } = await exposed(failing(error));
    await expect(call()).rejects.toBe(error);
    expect(contained).toEqual([['onAppStateHasSyncedEvent', error]]);
  });
});
