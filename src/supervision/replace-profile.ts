import type { SessionOwnership } from './ownership/session-ownership.js';
import type { SessionSupervisor } from './session-supervisor.js';

/** The tools for a call that replaces the profile. */
export interface Replacement {
  /** Whether the session ran at the time of the call. Then it runs again afterwards. */
  readonly wasRunning: boolean;
  /** Runs the replacement while the session is halted. */
  readonly replace: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/**
 * Runs a call that replaces the login in place: `restore()`, `importSession()`. A session that was running starts
 * again afterwards, and no other session of this process can take the profile in between. If it was not running, a
 * start requested during the call waits for the whole call, so the caller need not await the call first.
 */
export function replaceProfile<Result>(
  { supervisor, ownership }: { readonly supervisor: SessionSupervisor; readonly ownership: SessionOwnership },
  call: (replacement: Replacement) => Promise<Result>,
): Promise<Result> {
  const { isMeantToRun: wasRunning, stops } = supervisor; // read now, since later calls must not count
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
