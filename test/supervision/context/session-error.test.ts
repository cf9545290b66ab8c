import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { asSessionError, asSessionErrors } from '../../../src/supervision/context/session-error.js';

const systemError = (code: string) => Object.assign(new Error(`${code}: open '/secret/path'`), { code });

describe('the error of a public call', () => {
  it('is a StoreError for one of the system, with the operation, the code and the cause, and without its path', () => {
    const cause = systemError('EIO');
    const error = asSessionError(cause, 'forceSave');
    expect(error).toMatchObject({ code: 'STORE', operation: 'forceSave', retryable: true, cause });
    expect(error.message).toContain('EIO');
    expect(error.message).not.toContain('/secret');
  });

  it.each(['EACCES', 'EPERM', 'EROFS'])('is not retryable for %s, which only a hand can change', (code) => {
    expect(asSessionError(systemError(code), 'backup').retryable).toBe(false);
  });

  it('names the call that was refused, and calls nothing a file system that may be a network', () => {
    const refused = Object.assign(systemError('ECONNREFUSED'), { syscall: 'connect' });
    expect(asSessionError(refused, 'backup').message).toBe(
      'backup() failed: the system answered ECONNREFUSED to connect',
    );
  });

  it.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_INVALID_ARG_TYPE', 'ABORT_ERR', 'Z_DATA_ERROR'])(
    'says what went wrong with %s, in which no system has answered',
    (code) => {
      const cause = Object.assign(new Error("Cannot find package 'unzipper'"), { code });
      const error = asSessionError(cause, 'backup');
      expect(error).toMatchObject({ code: 'INTERNAL', cause });
      expect(error.message).toBe("backup() failed: Cannot find package 'unzipper'");
    },
  );

  it('is INTERNAL for anything else, with the cause', () => {
    const cause = new TypeError('x is undefined');
    expect(asSessionError(cause, 'prune')).toMatchObject({ code: 'INTERNAL', cause });
    expect(asSessionError('a string', 'prune').message).toContain('a string');
  });

  it('stays what it is where it is typed already', async () => {
    const error = new StoreError('down');
    expect(asSessionError(error, 'backup')).toBe(error);
    await expect(asSessionErrors('backup', Promise.reject(error))).rejects.toBe(error);
    await expect(asSessionErrors('backup', Promise.resolve(1))).resolves.toBe(1);
  });
});
