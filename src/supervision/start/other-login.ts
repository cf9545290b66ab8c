import { describeError } from '../../errors.js';
import { anotherLoginTask } from '../../profile/soundness/compare-logins.js';
import { examineProfileTask } from '../../profile/soundness.js';
import type { SessionContext } from '../context/session-context.js';
import type { SessionSnapshots } from '../context/session-snapshots.js';
import { newLineageAfter } from '../record/lineage.js';

/**
 * Tells a damaged profile from a sound one with another login. A bot without this library, or a person, may have put
 * the latter in place while the record stayed. It is kept, because an older login in its place would lose work, or be
 * another account's.
 */
export class OtherLogin {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /**
   * Call for a profile that does not continue the snapshot on which it is based. Resolves to whether it holds another
   * login, which then gets its own lineage. If WhatsApp does not accept that login, the one before it is tried.
   */
  async keep(signal: AbortSignal): Promise<boolean> {
    const { record, runner, profileDir, soundTables, warn, assertOwned } = this.#context;
    const { basedOn, lineage } = record.current;
    if (basedOn === undefined) return false;
    const input = { profileDir, depth: 'deep' } as const;
    const alone = await runner.run(examineProfileTask, input, { signal });
    if (alone.report.verdict !== 'sound' || !(await this.#isAnother(basedOn, signal))) return false;
    await assertOwned();
    await record.update({
      lineage: newLineageAfter(this.#context),
      formerLineage: lineage,
      run: 0,
      account: undefined,
      basedOn: undefined,
      browserVersion: undefined,
      loggedIn: true,
    });
    soundTables.known = alone.soundTables;
    warn(
      'profile-replaced',
      'the profile is intact but holds another login than before: it is used, and a new series of snapshots begins. If it ' +
        `was put there by mistake, restore('${basedOn}') brings the last login back`,
    );
    return true;
  }

  async #isAnother(basedOn: string, signal: AbortSignal): Promise<boolean> {
    const { folders, runner, profileDir, logger } = this.#context;
    const formerDir = await folders.createStaging();
    try {
      const { repository } = await this.#snapshots.find(basedOn);
      await repository.restore(basedOn, formerDir, { signal });
      return await runner.run(anotherLoginTask, { profileDir, formerDir }, { signal });
    } catch (error) {
      signal.throwIfAborted();
      logger.warn('the profile could not be compared with its last snapshot', {
        error: describeError(error),
      });
      return false;
    } finally {
      await folders.removeStaging(formerDir);
    }
  }
}
