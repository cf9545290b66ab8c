import { join } from 'node:path';
import { describeError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { Logger } from '../../logger.js';
import { noteNow } from '../../own-file.js';
import { readFolder } from '../../profile/walk.js';

/** The allowed form of a lineage, since it becomes part of a file name. */
const LINEAGE = /^[A-Za-z0-9][-\w]{0,127}$/;

type Places = readonly (readonly [folder: string, prefix: string])[];

export interface LogoutNoteParameters {
  readonly clientId: string;
  /** Folder of the session's record, beside the profile. */
  readonly recordFolder: () => Promise<string>;
  readonly sessionPath: string;
  readonly fs: FileSystem;
  readonly logger: Logger;
}

/**
 * Notes a logout at the moment it is reported, before the bot's own listeners hear of it. One of them may end the
 * process, and the next process must not restore a dead login.
 * The note is an empty file whose name has all the information. It is written beside the profile and in
 * `sessionPath`, since either may be on a disk that is gone by then.
 */
export class LogoutNote {
  readonly #parameters: LogoutNoteParameters;
  /** Folder and name prefix of each note; looked up before they are needed. */
  #places: Places = [];
  /** The lineages noted by this object, in case no disk could be written. */
  readonly #noted = new Set<string>();

  constructor(parameters: LogoutNoteParameters) {
    this.#parameters = parameters;
  }

  /** Never throws. A logout that can't be noted now is noted a little later, when the login is revoked. */
  writeNow(lineage: string): void {
    const { fs, logger } = this.#parameters;
    if (!LINEAGE.test(lineage)) return;
    this.#noted.add(lineage);
    for (const [folder, prefix] of this.#places) {
      try {
        noteNow(fs, join(folder, `${prefix}${lineage}`));
      } catch (error) {
        logger.warn('a logout could not be noted at once', { error: describeError(error) });
      }
    }
  }

  /** The noted lineages. An unreadable place is skipped, because the other one has the same notes. */
  async lineages(): Promise<readonly string[]> {
    const found = new Set<string>(this.#noted);
    for (const [folder, prefix] of await this.#lookUp()) {
      for (const name of await this.#notesIn(folder, prefix)) found.add(name.slice(prefix.length));
    }
    return [...found];
  }

  /** Removes the notes once the record has them. Never rejects; a note that remains is read again. */
  async remove(): Promise<void> {
    const { fs } = this.#parameters;
    this.#noted.clear();
    for (const [folder, prefix] of await this.#lookUp().catch(() => [])) {
      for (const name of await this.#notesIn(folder, prefix)) {
        await fs.promises.unlink(join(folder, name)).catch(() => undefined);
      }
    }
  }

  async #lookUp(): Promise<Places> {
    const { clientId, recordFolder, sessionPath } = this.#parameters;
    this.#places = [
      [await recordFolder(), 'logged-out-'],
      [sessionPath, `.${clientId}.logged-out-`],
    ];
    return this.#places;
  }

  async #notesIn(folder: string, prefix: string): Promise<readonly string[]> {
    const entries = await readFolder(this.#parameters.fs, folder).catch(() => []);
    const names = entries.map(({ name }) => name);
    return names.filter((name) => name.startsWith(prefix) && LINEAGE.test(name.slice(prefix.length)));
  }
}
