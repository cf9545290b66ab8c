import type { DisconnectCause } from '../../../src/events.js';
import type { SessionState } from '../../../src/state.js';
import type { SuperviseScene } from './scene.js';

/** What must have happened since the fault, and nothing else. */
export interface Expectation {
  /** All states that are entered, in order; the last one is the final state. */
  readonly states: readonly SessionState[];
  /** The causes of the attempts to reconnect, without repeats. Default: none. */
  readonly causes?: readonly DisconnectCause[];
  /** The number of QR codes that the bot received. Default 0. */
  readonly qrs?: number;
}

/** One fault and its expected result. */
export interface SuperviseCase {
  readonly name: string;
  readonly expected: Expectation;
  /** Default 240 s. */
  readonly deadlineMs?: number;
  /** Why this machine can't play the case; called before the case runs. */
  readonly missing?: () => string | undefined;
  /** Calls `scene.watch()`, makes the fault, and resolves when its consequences are over. */
  readonly run: (scene: SuperviseScene) => Promise<void>;
}
