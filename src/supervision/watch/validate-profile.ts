import { describeError } from '../../errors.js';
import { findingsOf } from '../../profile/findings-of.js';
import { checkProfileTask } from '../../profile/soundness.js';
import type { SessionContext } from '../context/session-context.js';
import type { RemovedProfile } from './removed-profile.js';

/**
 * Checks the live profile quickly (documented: every minute). Damage is only announced: the browser keeps working and
 * saves are refused. The next start restores the last sound snapshot, unless the profile was removed.
 */
export async function validateProfile(
  context: SessionContext,
  removed: Pick<RemovedProfile, 'notice'>,
): Promise<void> {
  const { runner, profileDir, announce, warn } = context;
  try {
    const report = await runner.run(checkProfileTask, { profileDir, depth: 'quick', live: true });
    if (report.verdict === 'absent' && (await removed.notice())) return;
    if (report.verdict === 'corrupt' || report.verdict === 'absent') {
      announce('corruption:detected', { where: 'profile', findings: findingsOf(report) });
    }
  } catch (error) {
    warn('validation-failed', `the profile could not be looked at: ${describeError(error).message}`);
  }
}
