import { describe, expect, it } from 'vitest';
import { ERROR_CLASSES } from '../src/error-classes.js';
import * as errors from '../src/errors.js';
import * as index from '../src/index.js';

const CLASSES: readonly (readonly [string, new (message: string) => errors.SessionError, string, boolean])[] =
  [
    ['ConfigurationError', errors.ConfigurationError, 'CONFIGURATION', false],
    ['StoreError', errors.StoreError, 'STORE', true],
    ['StoreConflictError', errors.StoreConflictError, 'STORE_CONFLICT', false],
    ['SnapshotCorruptError', errors.SnapshotCorruptError, 'SNAPSHOT_CORRUPT', false],
    ['SnapshotUnsafeError', errors.SnapshotUnsafeError, 'SNAPSHOT_UNSAFE', false],
    ['SnapshotNotFoundError', errors.SnapshotNotFoundError, 'SNAPSHOT_NOT_FOUND', false],
    ['ProfileLockedError', errors.ProfileLockedError, 'PROFILE_LOCKED', true],
    ['ProfileUnsoundError', errors.ProfileUnsoundError, 'PROFILE_UNSOUND', false],
    ['BrowserTooOldError', errors.BrowserTooOldError, 'BROWSER_TOO_OLD', false],
    ['LeaseHeldError', errors.LeaseHeldError, 'LEASE_HELD', true],
    ['LeaseLostError', errors.LeaseLostError, 'LEASE_LOST', false],
    ['TimeoutError', errors.TimeoutError, 'TIMEOUT', true],
    ['InvalidStateError', errors.InvalidStateError, 'INVALID_STATE', false],
    ['ClosedError', errors.ClosedError, 'CLOSED', false],
    ['StartFailedError', errors.StartFailedError, 'START_FAILED', true],
  ];

describe('the errors', () => {
  it('are in the list of their codes, and among the public names, every one of them', () => {
    const listed = [errors.SessionError, errors.LogoutFailedError, ...Object.values(ERROR_CLASSES)];
    const declared = Object.keys(errors).filter((name) => /^[A-Z]\w*Error$/.test(name));
    expect(declared.sort()).toEqual(listed.map(({ name }) => name).sort());
    for (const Class of listed) expect(index).toHaveProperty(Class.name, Class);
  });

  it.each(CLASSES)(
    '%s has its name and code, and says whether to try again',
    (name, Class, code, retryable) => {
      const error = new Class('what happened');
      expect(error).toBeInstanceOf(errors.SessionError);
      expect(error).toBeInstanceOf(Error);
      expect({ ...error, name: error.name }).toMatchObject({ name, code, retryable });
      expect(error.cause).toBeUndefined();
    },
  );

  it('carry what they are given', () => {
    const cause = new Error('underneath');
    const details = { retryable: false, operation: 'forceSave', file: 'Default/x', cause };
    const error = new errors.StoreError('down', details);
    expect(error).toMatchObject(details);
    expect(new errors.ProfileLockedError('in use', { pid: 42 }).pid).toBe(42);
  });

  it('travel on events without stack and cause', () => {
    const error = new errors.StoreError('down', { cause: new Error('secret') });
    expect(JSON.parse(JSON.stringify(error))).toEqual({ code: 'STORE', message: 'down' });
  });

  it('are known by their brand: also those of another copy of the library', () => {
    const brand = Symbol.for('wwebjs-persistent-session.error');
    expect(errors.isSessionError(new errors.ClosedError('closed'))).toBe(true);
    expect(errors.isSessionError({ [brand]: true })).toBe(true);
    for (const other of [new Error('other'), {}, null, undefined, 'CLOSED']) {
      expect(errors.isSessionError(other)).toBe(false);
    }
  });
});

describe('describeError()', () => {
  it.each([
    [new errors.ClosedError('closed'), { code: 'CLOSED', message: 'closed' }],
    [Object.assign(new Error('full'), { code: 'ENOSPC' }), { code: 'ENOSPC', message: 'full' }],
    [Object.assign(new Error('odd'), { code: 5 }), { code: 'INTERNAL', message: 'odd' }],
    [new Error('plain'), { code: 'INTERNAL', message: 'plain' }],
    ['auth timeout', { code: 'INTERNAL', message: 'auth timeout' }],
    [undefined, { code: 'INTERNAL', message: 'it failed without a reason' }],
  ])('makes the form of events from anything thrown: %s', (thrown, described) => {
    expect(errors.describeError(thrown)).toEqual(described);
  });
});

describe('errnoOf()', () => {
  it('tells the code of a system error, and of nothing else', () => {
    expect(errors.errnoOf(Object.assign(new Error('gone'), { code: 'ENOENT' }))).toBe('ENOENT');
    for (const other of [new Error('plain'), { code: 5 }, null, undefined, 'ENOENT']) {
      expect(errors.errnoOf(other)).toBeUndefined();
    }
  });
});
