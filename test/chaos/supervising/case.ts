import type { DisconnectCause } from '../../../src/events.js';
import type { SessionState } from '../../../src/state.js';
import type { SuperviseScene } from './scene.js';

/** What must have happened since the fault, no more and no less. */
export interface Expectation {
  /** Every state that was entered, in order; the last one is where it ends. */
  readonly states: readonly SessionState[];
  /** The causes of the attempts to reconnect, repeats left out. Default: none. */
  readonly causes?: readonly DisconnectCause[];
  /** How many codes the bot was shown. Default 0. */
  readonly qrs?: number;
}

/** One fault, and what must come of it. */
export interface SuperviseCase {
  readonly name: string;
  readonly expected: Expectation;
  /** Default 240 s. */
  readonly deadlineMs?: number;
  /** Why this machine can't play it; asked before it is run. */
  readonly missing?: () => string | undefined;
  /** Calls `scene.watch()`, does the fault, and resolves when its consequences are over. */
  readonly run: (scene: SuperviseScene) => Promise<void>;
}
