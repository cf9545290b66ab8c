import { dirname } from 'node:path';
import { ConfigurationError } from '../../errors.js';
import type { SnapshotInfo } from '../../types.js';
import type { StorePatience } from '../context/ask-stores.js';
import type { SessionContext } from '../context/session-context.js';
import { passSessionErrors } from '../context/session-error.js';
import { type SessionSnapshots, sharedClientId } from '../context/session-snapshots.js';

/** Protects an account's login from another bot that by mistake has the same client id, or none. */
export class AccountGuard {
  readonly #context: SessionContext;
  readonly #snapshots: SessionSnapshots;

  constructor(context: SessionContext, { snapshots }: { readonly snapshots: SessionSnapshots }) {
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /**
   * Two scripts in the same folder are two bots. A script that is gone, or is in another folder, may be the same bot
   * after a build, a move or another way of starting.
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
      `clientId: it is not set, and the login in ${profileDir} was last used by ${startedBy}, not by ${entryScript}. Give every ` +
        `bot a clientId of its own; if this is the same bot under a new name, set clientId: '${clientId}'.`,
    );
  }

  /** The path with links resolved; `undefined` when no such file exists, as for `node .` and `node bot`. */
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
   * Checks a profile without a record, which is new to its stores: they may hold another profile's login under the
   * same client id.
   *
   * @param isSound whether the profile here is used: a restore of an older copy would only set it back
   * @throws ConfigurationError when that other profile still exists
   */
  async refuseAnothersLogin(patience: StorePatience, isSound: boolean): Promise<void> {
    // A store that does not answer is ignored here; whoever needs it reports the failure.
    const others = await this.#snapshots.ofOtherProfiles(patience).catch(passSessionErrors);
    if (others === undefined || others.hasOurs) return;
    if (others.owned !== undefined) throw sharedClientId(others.owned);
    const { newest: other } = others;
    if (other === undefined) return;
    this.#context.warn(
      'other-profile',
      `the snapshots of '${other.clientId}' were made for another profile (${other.profile?.path}), so none of them is ` +
        (isSound
          ? 'restored automatically. The profile that lies here is used, and is saved from now on: there is nothing to do, unless ' +
            `WhatsApp asks for a QR and the newest of them, ${other.id}, is of this bot; if another bot has this clientId, give ` +
            'each its own'
          : `restored automatically. If it is the login of this bot, call restore('${other.id}'); else give this bot a clientId ` +
            'of its own'),
    );
  }

  /** Call after a restore: reports when the login came from the bot's previous place. */
  tellOfMove(info: SnapshotInfo): void {
    if (!this.#snapshots.isMoved(info)) return;
    this.#context.warn(
      'profile-moved',
      `the login of this bot was restored from where it was before: ${info.profile?.path}. If that is another bot, ` +
        'stop this one and give each of them a clientId of its own',
    );
  }
}
