import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionState } from '../../../src/state.js';
import type { SessionContext } from '../../../src/supervision/context/session-context.js';
import { DegradedTimer } from '../../../src/supervision/watch/degraded-timer.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

const SILENT = { answered: false, timed: true };
const ANSWERED = { answered: true, timed: true };

describe('the degradation of a session that is up', () => {
  let clock: ManualClock;
  let state: SessionState;
  let lost: string[];
  let causes: (string | undefined)[];
  let timer: DegradedTimer;

  beforeEach(() => {
    clock = new ManualClock();
    state = 'ready';
    lost = [];
    causes = [];
    const context = {
      clock,
      options: { sessionTimeoutMs: 45_000 },
      driver: { client: {} },
      state: () => state,
      moveTo: (to: SessionState, cause?: string) => {
        state = to;
        causes.push(cause);
      },
    };
    timer = new DegradedTimer(context as unknown as SessionContext, { onLost: (cause) => lost.push(cause) });
  });

  it('begins with a probe that is not answered and ends with one that is', () => {
    timer.onProbe(SILENT);
    expect([state, causes]).toEqual(['degraded', ['unresponsive']]);
    timer.onProbe(ANSWERED);
    expect(state).toBe('ready');
    timer.onProbe(SILENT);
    expect([state, lost]).toEqual(['degraded', []]);
  });

  it('ends in a loss at the second timed probe in a row without an answer', () => {
    timer.onProbe(SILENT);
    timer.onProbe(SILENT);
    expect(lost).toEqual(['unresponsive']);
  });

  it('does not count what somebody asked for by hand', () => {
    for (let call = 0; call < 5; call++) timer.onProbe({ answered: false, timed: false });
    expect([state, lost]).toEqual(['degraded', []]);
  });

  it('leaves a page that says it is deaf to its own deadline, whether it answers or not', async () => {
    timer.onState('TIMEOUT');
    timer.onProbe(ANSWERED);
    expect(state).toBe('degraded');
    await clock.advance(45_000);
    expect(lost).toEqual(['timeout']);
  });

  it('gives a page that hung and then says it is deaf that deadline, too', async () => {
    timer.onProbe(SILENT);
    timer.onState('TIMEOUT');
    timer.onProbe(ANSWERED);
    expect([state, causes]).toEqual(['degraded', ['unresponsive']]);
    timer.onState('CONNECTED');
    expect([state, clock.pendingTimers]).toEqual(['ready', 0]);
  });

  it.each(['reconnecting', 'stopping', 'awaiting_qr'] as const)('has no say in %s', (other) => {
    state = other;
    timer.onProbe(SILENT);
    timer.onProbe(SILENT);
    timer.onState('TIMEOUT');
    expect([state, lost, clock.pendingTimers]).toEqual([other, [], 0]);
  });
});
