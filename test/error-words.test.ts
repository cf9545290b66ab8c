import { describe, expect, it } from 'vitest';
import { tellable, wordsOf } from '../src/error-words.js';
import { describeError, StoreError, toError } from '../src/errors.js';

const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
/** What `ws` gives to its listeners, and puppeteer rejects with. */
class ErrorEvent {
  readonly #error: Error;
  constructor(error: Error) {
    this.#error = error;
  }
  get error() {
    return this.#error;
  }
  get message() {
    return this.#error.message;
  }
}
const named = (name: string, message: string) => Object.assign(new Error(message), { name });
const itself: Error & { cause?: unknown } = new Error('round');
itself.cause = itself;

const WORDS: readonly (readonly [string, unknown, string])[] = [
  ['an error', new Error(' plain '), 'plain'],
  ['a string', 'auth timeout', 'auth timeout'],
  ['an empty string', '', 'no message'],
  ['nothing', undefined, 'it failed without a reason'],
  ['null', null, 'it failed without a reason'],
  ['a number', 7, '7'],
  ['an event of a socket', new ErrorEvent(refused('127.0.0.1:9')), 'connect ECONNREFUSED 127.0.0.1:9'],
  ['an event without a message', { error: refused('::1:9') }, 'connect ECONNREFUSED ::1:9'],
  [
    'fetch failed',
    new TypeError('fetch failed', { cause: refused('a:1') }),
    'fetch failed: connect ECONNREFUSED a:1',
  ],
  [
    'a connection to two addresses',
    Object.assign(new AggregateError([refused('::1:1'), refused('127.0.0.1:1')], ''), {
      code: 'ECONNREFUSED',
    }),
    'ECONNREFUSED: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
  ],
  [
    'all of several promises',
    new AggregateError([new Error('one'), new Error('one'), new Error('two')], 'All promises were rejected'),
    'All promises were rejected: one; two',
  ],
  ['an object with a code', { code: 'AccessDenied', message: 'not yours' }, 'not yours'],
  ['an object with a code only', { code: 'AccessDenied' }, 'AccessDenied'],
  ['an object with a status', { status: 403, statusText: 'Forbidden' }, 'Forbidden'],
  ['an error with a name only', named('SlowDown', ''), 'SlowDown'],
  ['an error with a name that knows more', named('Forbidden', 'UnknownError'), 'Forbidden: UnknownError'],
  ['an error with nothing', new Error(''), 'no message'],
  ['an error with nothing but a cause', new Error('', { cause: new Error('why') }), 'why'],
  [
    'a cause that the message already has',
    new Error('could not: why', { cause: new Error('why') }),
    'could not: why',
  ],
  [
    'an error of ours, which says it itself',
    new StoreError('could not', { cause: new Error('why') }),
    'could not',
  ],
  ['its own cause', itself, 'round'],
  ['an object of no words', {}, 'something was thrown that has no text'],
  ['an object without a prototype', Object.create(null), 'something was thrown that has no text'],
  [
    'an object that throws',
    {
      get message() {
        throw new Error('no');
      },
    },
    'something was thrown that has no text',
  ],
];

describe('the words of a thrown value', () => {
  it.each(WORDS)('%s', (_name, thrown, words) => {
    expect(wordsOf(thrown)).toBe(words);
    expect(describeError(thrown).message).toBe(words);
    expect(toError(thrown).message).toContain(thrown instanceof Error ? thrown.message : words);
  });

  it('are bounded in what events and the log get, and the end is kept', () => {
    const { message } = describeError(new Error(`begin ${'x'.repeat(3_000_000)} end`));
    expect(message.length).toBeLessThan(2_100);
    expect(message).toMatch(/^begin x.* … .*x end$/);
  });

  it('hide the credentials of a proxy', () => {
    expect(describeError(new Error('chrome --proxy-server=http://joe:secret@proxy:1 ended')).message).toBe(
      'chrome --proxy-server=http://***@proxy:1 ended',
    );
    expect(tellable('--proxy-server=joe:secret@proxy:1')).not.toContain('secret');
  });

  it('have the code where there is one', () => {
    expect(describeError({ code: 'AccessDenied' }).code).toBe('AccessDenied');
    expect(describeError(new Error('x')).code).toBe('INTERNAL');
    expect(describeError(new StoreError('x')).code).toBe('STORE');
  });
});
