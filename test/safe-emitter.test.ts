import { describe, expect, it } from 'vitest';
import { SafeEmitter } from '../src/safe-emitter.js';

interface Events {
  news: (text: string) => void;
}

class Emitter extends SafeEmitter<Events> {
  readonly errors: [string, unknown][] = [];
  protected override onListenerError(event: string, error: unknown): void {
    this.errors.push([event, error]);
  }
}

describe('a safe emitter', () => {
  it('reports a listener that throws, and calls the next one', () => {
    const emitter = new Emitter();
    const heard: string[] = [];
    const error = new Error('thrown');
    emitter.on('news', () => {
      throw error;
    });
    emitter.on('news', (text) => heard.push(text));
    expect(emitter.emit('news', 'hello')).toBe(true);
    expect(heard).toEqual(['hello']);
    expect(emitter.errors).toEqual([['news', error]]);
  });

  it('reports a listener whose promise rejects', async () => {
    const emitter = new Emitter();
    const error = new Error('rejected');
    emitter.once('news', (async () => {
      throw error;
    }) as Events['news']);
    emitter.emit('news', 'hello');
    await new Promise((resolve) => setImmediate(resolve));
    expect(emitter.errors).toEqual([['news', error]]);
  });

  it.each(['on', 'addListener', 'once'] as const)('lets go of what %s() was given', (method) => {
    const emitter = new Emitter();
    const heard: string[] = [];
    const listener = (text: string) => void heard.push(text);
    emitter[method]('news', listener);
    emitter.off('news', listener);
    expect(emitter.emit('news', 'hello')).toBe(false);
    expect(heard).toEqual([]);
  });

  it('lets go of one listener of several, of a listener it never had, and of all', () => {
    const emitter = new Emitter();
    const heard: string[] = [];
    const first = () => void heard.push('first');
    const second = () => void heard.push('second');
    emitter.on('news', first);
    emitter.on('news', second);
    emitter.removeListener('news', first);
    emitter.removeListener('news', () => undefined);
    emitter.emit('news', 'hello');
    expect(heard).toEqual(['second']);
    emitter.removeListener('news');
    expect(emitter.listenerCount('news')).toBe(0);
  });

  it('calls one listener that was given twice twice, with the context it was given', () => {
    const emitter = new Emitter();
    const contexts: unknown[] = [];
    function listener(this: unknown): void {
      contexts.push(this);
    }
    const context = {};
    emitter.on('news', listener, context);
    emitter.on('news', listener, context);
    emitter.emit('news', 'hello');
    expect(contexts).toEqual([context, context]);
  });

  it('calls a listener of once() once', () => {
    const emitter = new Emitter();
    const heard: string[] = [];
    emitter.once('news', (text) => heard.push(text));
    emitter.emit('news', 'first');
    emitter.emit('news', 'second');
    expect(heard).toEqual(['first']);
  });

  it('refuses a listener that is no function', () => {
    const emitter = new Emitter();
    expect(() => emitter.on('news', 'listener' as unknown as Events['news'])).toThrow(TypeError);
  });
});
