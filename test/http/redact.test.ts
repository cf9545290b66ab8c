import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/http/redact.js';

const redactor = new Redactor(() => ['the-token-itself']);

describe('what is told', () => {
  it.each([
    ['postgres://bot:hunter2@db:5432/x', 'postgres://***@db:5432/x'],
    ['redis://:hunter2@cache', 'redis://***@cache'],
    ['password=hunter2 host=db', 'password=*** host=db'],
    ['{"secretAccessKey": "hunter2"}', '{"secretAccessKey=***"}'],
    ['Authorization: Bearer hunter2hunter2', 'Authorization=***'],
    ['got "bearer hunter2hunter2"', 'got "bearer ***"'],
    ['the-token-itself was sent', '*** was sent'],
    [
      'no snapshot has the id "20261123T051409123Z-1a2b3c4d"',
      'no snapshot has the id "20261123T051409123Z-1a2b3c4d"',
    ],
    ['first line\n    at f (/app/x.js)', 'first line'],
    ['', 'no message'],
  ])('of %s is %s', (text, told) => {
    expect(redactor.message(text)).toBe(told);
  });

  it('keeps the shape of a value', () => {
    const value = { a: ['redis://:x@y', 1, null, true], b: { c: 'plain' } };
    expect(redactor.value(value)).toEqual({ a: ['redis://***@y', 1, null, true], b: { c: 'plain' } });
  });

  it.each(['a.', 'a-', 'a:/', 'token ', 'password=', 'bearer '])(
    'takes no quadratic time for "%s" and more',
    (piece) => {
      // It would be minutes, which the runner would not wait for.
      expect(redactor.text(piece.repeat(200_000)).length).toBeGreaterThan(0);
    },
  );
});
