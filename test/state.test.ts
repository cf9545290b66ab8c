import { describe, expect, it } from 'vitest';
import { assertTransition, canTransition, type SessionState, TRANSITIONS } from '../src/state.js';

const STATES = Object.keys(TRANSITIONS) as SessionState[];

describe('the table of transitions', () => {
  it('is the whole table, and nothing else is legal', () => {
    for (const from of STATES) {
      for (const to of STATES) {
        expect(canTransition(from, to), `${from} -> ${to}`).toBe(TRANSITIONS[from].includes(to));
      }
    }
  });

  it('leads from every state to every other one', () => {
    for (const start of STATES) {
      const reached = new Set<SessionState>([start]);
      for (const state of reached) for (const next of TRANSITIONS[state]) reached.add(next);
      expect([...reached].sort()).toEqual([...STATES].sort());
    }
  });

  it('lets every state be stopped', () => {
    const unstoppable = STATES.filter((state) => !canTransition(state, 'stopping'));
    expect(unstoppable).toEqual(['stopping']);
  });

  it('has no way around the check of the profile: only `restoring` leads to `starting`, and a QR that is refreshed', () => {
    expect(STATES.filter((state) => canTransition(state, 'starting'))).toEqual(['restoring', 'awaiting_qr']);
  });

  it('lets nothing be degraded that was not ready', () => {
    expect(STATES.filter((state) => canTransition(state, 'degraded'))).toEqual(['ready']);
  });

  it('throws for an illegal one: that is a bug of this library', () => {
    expect(() => assertTransition('idle', 'restoring')).not.toThrow();
    expect(() => assertTransition('idle', 'ready')).toThrow('illegal transition idle -> ready');
  });
});
