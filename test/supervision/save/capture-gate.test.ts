import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/clock.js';
import { CaptureGate } from '../../../src/supervision/save/capture-gate.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

const NEVER = new AbortController().signal;

function setUp() {
  const clock = new ManualClock();
  const gate = new CaptureGate();
  const begun: string[] = [];
  const seen = { running: 0, most: 0 };
  /** A capture of a second. */
  const capture = (name: string, limit = 2, signal = NEVER) =>
    gate.run(
      async () => {
        begun.push(name);
        seen.most = Math.max(seen.most, ++seen.running);
        await sleep(clock, 1000);
        seen.running--;
        return name;
      },
      { limit, signal, clock },
    );
  return { clock, gate, begun, seen, capture };
}

describe('the gate of the captures', () => {
  it('lets so many run at once as the limit says, the others in the order they came', async () => {
    const { clock, begun, capture } = setUp();
    const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => capture(name)));
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b']);
    await clock.advance(1000);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    await clock.advance(2000);
    expect(await all).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('goes on after one that failed, and hands its error to its caller only', async () => {
    const { clock, gate, begun, capture } = setUp();
    const failing = gate.run(() => Promise.reject(new Error('broken')), { limit: 1, signal: NEVER, clock });
    const after = capture('after', 1);
    await expect(failing).rejects.toThrow('broken');
    await clock.advance(1000);
    await expect(after).resolves.toBe('after');
    expect(begun).toEqual(['after']);
  });

  it('asks each session how many may run: one that wants to be alone waits, and is not overtaken', async () => {
    const { clock, begun, capture } = setUp();
    const all = [capture('a', 3), capture('alone', 1), capture('c', 3)];
    await clock.advance(0);
    expect(begun).toEqual(['a']);
    await clock.advance(1000);
    expect(begun).toEqual(['a', 'alone', 'c']);
    await clock.advance(1000);
    await Promise.all(all);
  });

  it('lets go of one who gives up waiting, and of what waited behind it', async () => {
    const { clock, begun, capture } = setUp();
    const abort = new AbortController();
    const first = capture('first', 2);
    const second = capture('second', 1, abort.signal);
    const third = capture('third', 2);
    await clock.advance(0);
    expect(begun).toEqual(['first']);
    abort.abort(new Error('no more'));
    await expect(second).rejects.toThrow('no more');
    expect(begun).toEqual(['first', 'third']);
    await clock.advance(1000);
    await Promise.all([first, third]);
  });

  it('waits a minute at most for one that hangs', async () => {
    const { clock, gate, begun, capture } = setUp();
    void gate.run(() => new Promise(() => undefined), { limit: 1, signal: NEVER, clock });
    const waiting = capture('waiting', 1);
    await clock.advance(59_999);
    expect(begun).toEqual([]);
    await clock.advance(1001);
    expect(await waiting).toBe('waiting');
    expect(clock.pendingTimers).toBe(0);
  });

  it('never begins what was aborted before, whatever the reason', async () => {
    const { begun, capture } = setUp();
    await expect(capture('late', 1, AbortSignal.abort('no error'))).rejects.toMatchObject({ code: 'CLOSED' });
    expect(begun).toEqual([]);
  });

  it('lets what has begun end although its signal aborts', async () => {
    const { clock, capture } = setUp();
    const abort = new AbortController();
    const running = capture('running', 1, abort.signal);
    await clock.advance(0);
    abort.abort();
    await clock.advance(1000);
    await expect(running).resolves.toBe('running');
  });

  it('is never passed by more than the limit, and forgets nobody, whoever gives up when', async () => {
    const plan = fc.array(
      fc.record({ at: fc.nat(3000), limit: fc.integer({ min: 1, max: 4 }), abortAt: fc.nat(6000) }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(plan, async (calls) => {
        const { clock, begun, seen, capture } = setUp();
        const settled = calls.map(async ({ at, limit, abortAt }, index) => {
          const abort = new AbortController();
          clock.setTimeout(() => abort.abort(new Error('gave up')), abortAt);
          await sleep(clock, at);
          return capture(String(index), limit, abort.signal).then(
            () => 'done',
            () => 'gave up',
          );
        });
        await clock.advance(60_000);
        const outcomes = await Promise.all(settled);
        expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(begun.length);
        expect(seen.running).toBe(0);
        expect(seen.most).toBeLessThanOrEqual(Math.max(0, ...calls.map(({ limit }) => limit)));
      }),
      { numRuns: 40 },
    );
  });
});
