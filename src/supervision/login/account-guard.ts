import { dirname } from 'node:path';
import { ConfigurationError } from '../../errors.js';
import type { SnapshotInfo } from '../../types.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import { passSessionErrors } from '../context/session-error.js';
import { type SessionSnapshots, sharedClientId } from '../context/session-snapshots.js';

/** Keeps one account's login from another bot that was given the same client id, or none, by mistake. */
export class AccountGuard {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, snapshots: SessionSnapshots) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /**
   * Two scripts that lie side by side are two bots. A script that is gone, or lies elsewhere, may well be the same bot: built,
   * moved, or started in another way.
   *
   * @throws ConfigurationError when another script of the same folder was ready with this profile last
   */
  async refuseAnotherScript(): Promise<void> {
    const { entryScript, record, clientId, profileDir } = this.#context;
    const { startedBy } = record.current;
    if (entryScript === undefined || startedBy === undefined || startedBy === entryScript) return;
    const [one, other] = [await this.#realScript(startedBy), await this.#realScript(entryScript)];
    if (one === undefined || other === undefined || one === other || dirname(one) !== dirname(other)) return;
    throw new ConfigurationError(
      `clientId: none was chosen, and the login in ${profileDir} is that of ${startedBy}, not of ${entryScript}. Give every ` +
        `bot a clientId of its own; if this is the same bot under a new name, set clientId: '${clientId}'.`,
    );
  }

  /** Links resolved; `undefined` where there is no such file: `node .` and `node bot` name none. */
  async #realScript(path: string): Promise<string | undefined> {
    const { promises } = this.#context.fs;
    try {
      const real = String(await promises.realpath(path));
      return (await promises.stat(real)).isFile() ? real : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * A profile without a record is new to its stores: they may hold the login of another one under the same client id.
   *
   * @throws ConfigurationError when that other profile is still there
   */
  async refuseAnothersLogin(patience: StorePatience): Promise<void> {
    // A store that does not answer says nothing; whoever needs it tells of that.
    const others = await this.#snapshots.ofOtherProfiles(patience).catch(passSessionErrors);
    if (others === undefined || others.hasOurs) return;
    if (others.owned !== undefined) throw sharedClientId(others.owned);
    const { newest: other } = others;
    if (other === undefined) return;
    this.#context.warn(
      'other-profile',
      `the snapshots of '${other.clientId}' were made for another profile (${other.profile?.path}), so none of them is ` +
        `restored by itself. If it is the login of this bot, call restore('${other.id}'); else give this bot a clientId ` +
        'of its own',
    );
  }

  /** After a restore: the login may have come from where the bot was before. */
  tellOfMove(info: SnapshotInfo): void {
    if (!this.#snapshots.isMoved(info)) return;
    this.#context.warn(
      'profile-moved',
      `the login of this bot was restored from where it was before: ${info.profile?.path}. If that is another bot, ` +
        'stop this one and give each of them a clientId of its own',
    );
  }
}
