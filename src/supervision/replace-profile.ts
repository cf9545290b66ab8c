import type { SessionOwnership } from './ownership/session-ownership.js';
import type { SessionSupervisor } from './session-supervisor.js';

/** What a call that replaces the profile is given. */
export interface Replacement {
  /** Whether the session ran when it was called: then it runs again afterwards. */
  readonly wasRunning: boolean;
  /** Does the replacing itself, with the session halted. */
  readonly replace: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/**
 * Runs a call that puts another login in the profile's place: `restore()`, `importSession()`. A session that ran comes up
 * again, and no other one of this process comes between. Where none ran, a start that is asked for meanwhile waits for
 * the whole call: nobody has to await it first.
 */
export function replaceProfile<Result>(
  { supervisor, ownership }: { readonly supervisor: SessionSupervisor; readonly ownership: SessionOwnership },
  call: (replacement: Replacement) => Promise<Result>,
): Promise<Result> {
  const { isMeantToRun: wasRunning, stops } = supervisor; // at the call: what comes meanwhile is later
  const replaceAndResume = <Replaced>(work: () => Promise<Replaced>) =>
    ownership.keep(async () => {
      try {
        return await supervisor.whileHalted(work, { resumes: true });
      } finally {
        if (stops === supervisor.stops) await supervisor.initialize();
      }
    });
  const replace = wasRunning ? replaceAndResume : supervisor.whileHalted.bind(supervisor);
  const calling = call({ wasRunning, replace: (work) => replace(work) });
  if (!wasRunning) supervisor.holdStarts(calling);
  return calling;
}
