import type { HealthAction, HealthIssue, LocalizedText } from '../../health.js';
import type { HealthFacts } from './facts.js';

/** Something a check found, with what to do about it. */
export interface Issue {
  readonly code: string;
  readonly severity: HealthIssue['severity'];
  readonly message: LocalizedText;
  readonly advice: LocalizedText;
  /** What can be run about it now. */
  readonly action?: HealthAction | undefined;
  /** It costs points, but does not lower the status by itself: nothing is wrong yet, and the defaults may have it. */
  readonly isAdvice?: true;
}

/** What a check came to: what it found (nothing: all is well), or that it could not look. */
export type Judgement = readonly Issue[] | 'unknown';

/** Judges one thing. Pure. */
export type Check = (facts: HealthFacts) => Judgement;
