import { describe, expect, it } from 'vitest';
import { ERROR_CLASSES } from '../src/error-classes.js';
import * as errors from '../src/errors.js';
import { packError, unpackError } from '../src/portable-error.js';

/** As a message between threads does. */
const journey = (error: unknown) => unpackError(structuredClone(packError(error)));

describe('an error that crosses a thread boundary', () => {
  it.each([
    new errors.ConfigurationError('m'),
    new errors.StoreError('m'),
    new errors.StoreConflictError('m'),
    new errors.SnapshotCorruptError('m', { retryable: true, file: 'Default/x' }),
    new errors.SnapshotUnsafeError('m'),
    new errors.SnapshotNotFoundError('m'),
    new errors.ProfileLockedError('m', { pid: 42 }),
    new errors.ProfileUnsoundError('m'),
    new errors.BrowserTooOldError('m', { browser: 'Chrome/146', writtenBy: 'Chrome/147' }),
    new errors.LeaseHeldError('m'),
    new errors.LeaseLostError('m'),
    new errors.TimeoutError('m', { operation: 'forceSave' }),
    new errors.InvalidStateError('m'),
    new errors.ClosedError('m'),
    new errors.StartFailedError('m'),
    new errors.SessionError('INTERNAL', 'm', { retryable: true }),
  ])('is still a $name', (error) => {
    const arrived = journey(error);
    expect(arrived).toBeInstanceOf(error.constructor);
    expect(errors.isSessionError(arrived)).toBe(true);
    const { code, retryable, operation, file, name, stack } = error;
    expect(arrived).toMatchObject({ code, retryable, operation, file, name, stack });
    expect(Object.entries(arrived)).toEqual(expect.arrayContaining(Object.entries(error)));
  });

  it('keeps the class of every code', () => {
    for (const [code, ErrorClass] of Object.entries(ERROR_CLASSES)) {
      const arrived = journey(new ErrorClass('m'));
      expect(arrived).toBeInstanceOf(ErrorClass);
      expect(arrived).toMatchObject({ code, message: 'm' });
    }
  });

  it('keeps the fields of a system error', () => {
    const error = Object.assign(new Error('ENOENT: no such file'), {
      ...{ code: 'ENOENT', errno: -2, syscall: 'open', path: 'x', secret: 'no' },
    });
    const arrived = journey(error);
    expect(arrived).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'open', path: 'x' });
    expect(arrived).not.toHaveProperty('secret');
    expect(errors.isSessionError(arrived)).toBe(false);
  });

  it('keeps its causes, to a bounded depth', () => {
    const cause = Object.assign(new Error('disk'), { code: 'EIO' });
    expect(journey(new errors.StoreError('m', { cause })).cause).toMatchObject({ code: 'EIO' });
    let chain: Error = new Error('0');
    for (let depth = 1; depth < 50; depth += 1) chain = new Error(String(depth), { cause: chain });
    const loop: Error & { cause?: unknown } = new Error('loop');
    loop.cause = loop;
    for (const error of [chain, loop]) {
      let links = 0;
      for (let at: unknown = journey(error); at instanceof Error; at = at.cause) links += 1;
      expect(links).toBe(5);
    }
  });

  it('may be anything that was thrown', () => {
    expect(journey('just text').message).toBe('just text');
    expect(journey(undefined)).toBeInstanceOf(Error);
  });
});
