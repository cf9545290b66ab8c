import type { HealthAction, HealthIssue, LocalizedText } from '../../health.js';
import type { HealthFacts } from './facts.js';

/** A problem that a check found, with advice. */
export interface Issue {
  readonly code: string;
  readonly severity: HealthIssue['severity'];
  readonly message: LocalizedText;
  readonly advice: LocalizedText;
  /** The call that can be made about it now. */
  readonly action?: HealthAction | undefined;
  /**
   * It costs points, but does not lower the status alone: nothing is wrong yet, and the default options may cause it.
   */
  readonly isAdvice?: true;
}

/** The result of a check: its issues (none: all is well), or that it could not judge. */
export type Judgement = readonly Issue[] | 'unknown';

/** Judges one aspect. Pure. */
export type Check = (facts: HealthFacts) => Judgement;
