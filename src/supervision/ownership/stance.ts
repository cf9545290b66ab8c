import type { SessionState } from '../../state.js';
import type { Stance } from './profile-holders.js';

export interface StanceFacts {
  /** Whether it runs and nobody has asked it to stop. */
  readonly isMeantToRun: boolean;
  /** Whether its bot was told of a `disconnected` and has not asked for this session since. */
  readonly isLetGo: boolean;
  readonly state: SessionState;
  /** Whether it has a browser that answers. */
  readonly isConnected: boolean;
}

/**
 * How a session stands to another one of its process that wants its profile. With a plain client, a bot that hears
 * `disconnected` makes a new one, and the old one never comes back; so does a watchdog that finds the browser gone.
 */
export function stanceOf({ isMeantToRun, isLetGo, state, isConnected }: StanceFacts): Stance {
  if (!isMeantToRun) return 'leaving';
  if (isLetGo || state === 'reconnecting') return 'yields';
  return isUp(state) && !isConnected ? 'yields' : 'keeps';
}

export function isUp(state: SessionState): boolean {
  return state === 'ready' || state === 'degraded';
}
