import { isUp, type SessionState } from '../../state.js';
import type { Stance } from './profile-holders.js';

export interface StanceFacts {
  /** Whether the session runs and nobody has asked it to stop. */
  readonly isMeantToRun: boolean;
  /** Whether its bot was told of a `disconnected` event, or that its start has failed, and has not used this session since. */
  readonly isLetGo: boolean;
  readonly state: SessionState;
  /** Whether it has a connected browser. */
  readonly isConnected: boolean;
}

/**
 * How a session responds to another one of its process that wants its profile. With a plain client, a bot that hears
 * `disconnected` makes a new client, and the old one never returns. A watchdog that finds the browser gone does the
 * same.
 */
export function stanceOf({ isMeantToRun, isLetGo, state, isConnected }: StanceFacts): Stance {
  if (!isMeantToRun) return 'leaving';
  if (isLetGo || state === 'reconnecting') return 'yields';
  return isUp(state) && !isConnected ? 'yields' : 'keeps';
}

/** The bot of a session that was just asked for has not let go of it. */
export const never = () => false;
