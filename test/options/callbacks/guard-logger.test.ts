import Fastify from 'fastify';
import { describe, expect, it, vi } from 'vitest';
import { type Logger, silentLogger } from '../../../src/logger.js';
import { guardLogger } from '../../../src/options/callbacks/guard-logger.js';
import { rejections } from '../../support/rejections.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const throws = () => {
  throw new Error('no promise');
};
const foreignPromise: unknown = Object.fromEntries([['then', throws]]);

describe('a guarded logger', () => {
  it('passes on what it is told, with its own `this`', () => {
    const lines: unknown[] = [];
    class Lines {
      readonly prefix = 'bot';
      write(...line: unknown[]): void {
        lines.push([this.prefix, ...line]);
      }
      debug = this.write;
      info = this.write;
      error = this.write;
      warn(...line: unknown[]): void {
        this.write(...line);
      }
    }
    const logger = guardLogger(new Lines());
    logger.warn('one', { a: 1 });
    logger.error('two');
    expect(lines).toEqual([
      ['bot', 'one', { a: 1 }],
      ['bot', 'two'],
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    [
      'throws what has no text',
      () => {
        throw Object.create(null);
      },
    ],
    ['rejects', () => Promise.reject(new Error('no connection'))],
    ['returns a foreign promise that throws', () => foreignPromise],
    [
      'returns what has a getter that throws',
      () =>
        Object.defineProperty({}, 'then', {
          get: () => {
            throw new Error('get');
          },
        }),
    ],
  ])('hurts nobody when it %s', async (_name, fail) => {
    const heard = rejections();
    const logger = guardLogger({ debug: fail, info: fail, warn: fail, error: fail } as never);
    for (const level of LEVELS) expect(() => logger[level]('a line')).not.toThrow();
    expect(await heard()).toEqual([]);
  });

  it('is made once: the silent one and a guarded one stay as they are', () => {
    expect(guardLogger(silentLogger)).toBe(silentLogger);
    const guarded = guardLogger({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() });
    expect(guardLogger(guarded)).toBe(guarded);
  });

  it('gives the fields of a line to pino, which takes them first', async () => {
    const lines: unknown[] = [];
    const { log } = Fastify({
      logger: { level: 'debug', stream: { write: (line: string) => void lines.push(JSON.parse(line)) } },
    });
    for (const given of [log, log.child({ bot: 'shop' })] as unknown as Logger[]) {
      const logger = guardLogger(given);
      for (const level of LEVELS) logger[level]('the start failed', { error: { message: 'no browser' } });
      logger.warn('100 %s without fields');
    }
    const told = { msg: 'the start failed', error: { message: 'no browser' } };
    const each = [...LEVELS.map(() => told), { msg: '100 %s without fields' }];
    expect(lines).toMatchObject([...each, ...each.map((line) => ({ ...line, bot: 'shop' }))]);
  });

  it.each<[string, object, boolean]>([
    ['bunyan', { child: vi.fn(), addSerializers: vi.fn() }, true],
    ['winston', { child: vi.fn(), levels: { error: 0 }, configure: vi.fn() }, false],
    ['console', {}, false],
    [
      'one whose getter throws',
      Object.defineProperty({}, 'child', {
        get: () => {
          throw new Error('get');
        },
      }),
      false,
    ],
  ])('knows the order of %s', (_name, shape, isFirst) => {
    const warn = vi.fn();
    const methods = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() };
    const fields = { a: 1 };
    guardLogger(Object.assign(shape, methods)).warn('one', fields);
    expect(warn.mock.calls).toEqual([isFirst ? [fields, 'one'] : ['one', fields]]);
  });

  it('is one object for one logger: what is said once to a logger is said once by all its sessions', () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const safe = guardLogger(logger);
    expect(guardLogger(logger)).toBe(safe);
    expect(guardLogger(safe)).toBe(safe);
    expect(guardLogger({ ...logger })).not.toBe(safe);
  });
});
