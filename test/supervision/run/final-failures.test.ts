import { describe, expect, it, vi } from 'vitest';
import { ClosedError, StartFailedError } from '../../../src/errors.js';
import { type Logger, silentLogger } from '../../../src/logger.js';
import { FinalFailures } from '../../../src/supervision/run/final-failures.js';
import { Run } from '../../../src/supervision/run/run.js';

const FAILED = new StartFailedError('there is no browser');

function setUp(logger: Logger = silentLogger) {
  const warned: string[] = [];
  const failures = new FinalFailures({ clientId: 'shop', logger }, (message) => warned.push(message));
  const run = new Run();
  return { failures, run, warned };
}

describe('a session that has failed for good', () => {
  it('warns the process once where nobody waits for it and there is no logger', () => {
    const { failures, run, warned } = setUp();
    failures.note(run, FAILED);
    failures.note(run, FAILED);
    expect(warned).toEqual([expect.stringMatching(/"shop".*there is no browser/)]);
    failures.note(run, new StartFailedError('WhatsApp did not come up'));
    expect(warned).toHaveLength(2);
  });

  it('leaves it to whoever waits for it, as long as it reaches one', () => {
    const { failures, run, warned } = setUp();
    let hears = true;
    run.observers.push(
      () => false,
      () => hears,
    );
    failures.note(run, FAILED);
    expect(warned).toEqual([]);
    hears = false;
    failures.note(run, FAILED);
    expect(warned).toHaveLength(1);
  });

  it('says it to the logger as an error', () => {
    const logger = { ...silentLogger, error: vi.fn() };
    const { failures, run, warned } = setUp(logger);
    failures.note(run, FAILED);
    expect(logger.error).toHaveBeenCalledWith(expect.stringContaining('has failed'), {
      error: expect.objectContaining({ message: 'there is no browser' }),
    });
    expect(warned).toEqual([]);
    expect(failures.isFinal(FAILED)).toBe(true);
  });

  it('is none that was ended by a call', () => {
    const logger = { ...silentLogger, error: vi.fn(), warn: vi.fn() };
    const { failures, run } = setUp(logger);
    const closed = new ClosedError('the session was closed');
    run.abort.abort(closed);
    failures.note(run, closed);
    expect(failures.isFinal(closed)).toBe(false);
    expect(logger.error).not.toHaveBeenCalled();
    expect(logger.warn).toHaveBeenCalled();
  });
});
