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
 *
 * Such calls, and `clear()`, run one after the other, in the order in which they were made: nothing that an earlier call
 * puts in place may come after a later one.
 */
export function replaceProfile<Result>(
  { supervisor, ownership }: { readonly supervisor: SessionSupervisor; readonly ownership: SessionOwnership },
  call: (replacement: Replacement) => Promise<Result>,
): Promise<Result> {
  const { stops } = supervisor; // read now, since later calls must not count
  const isFirst = supervisor.turns.isFree;
  const wasRunningAtCall = supervisor.isMeantToRun;
  const replaceAndResume = <Replaced>(work: () => Promise<Replaced>) =>
    ownership.keep(async () => {
      try {
        return await supervisor.whileHalted(work, { resumes: true });
      } finally {
        if (stops === supervisor.stops) await supervisor.resume();
      }
    });
  const calling = supervisor.turns.take(() => {
    // An earlier call may have ended or resumed the session in the meantime.
    const wasRunning = isFirst ? wasRunningAtCall : supervisor.isMeantToRun;
    const replace = wasRunning ? replaceAndResume : supervisor.whileHalted.bind(supervisor);
    return call({ wasRunning, replace: (work) => replace(work) });
  });
  if (!isFirst || !wasRunningAtCall) supervisor.holdStarts(calling);
  return calling;
}
