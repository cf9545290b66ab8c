import { join } from 'node:path';
import { describeError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import type { Logger } from '../../logger.js';
import { noteNow } from '../../own-file.js';
import { readFolder } from '../../profile/walk.js';

/** A lineage as it becomes part of a name. */
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
 * Notes a logout in the very moment in which it is heard of, before the bot's own listeners: one of them may end the process,
 * and the next one must not restore a login that is dead. An empty file, its name says it all; beside the profile and in
 * `sessionPath`, since either may be on a disk that is gone by then.
 */
export class LogoutNote {
  readonly #parameters: LogoutNoteParameters;
  /** Folder and beginning of the name, known before it is needed. */
  #places: Places = [];

  constructor(parameters: LogoutNoteParameters) {
    this.#parameters = parameters;
  }

  /** Never throws: what can't be noted at once is noted a little later, by whoever revokes the login. */
  writeNow(lineage: string): void {
    const { fs, logger } = this.#parameters;
    if (!LINEAGE.test(lineage)) return;
    for (const [folder, prefix] of this.#places) {
      try {
        noteNow(fs, join(folder, `${prefix}${lineage}`));
      } catch (error) {
        logger.warn('a logout could not be noted at once', { error: describeError(error) });
      }
    }
  }

  /** The pairings that were noted. A place that can't be read is passed over: the other one says the same. */
  async lineages(): Promise<readonly string[]> {
    const found = new Set<string>();
    for (const [folder, prefix] of await this.#lookUp()) {
      for (const name of await this.#notesIn(folder, prefix)) found.add(name.slice(prefix.length));
    }
    return [...found];
  }

  /** When the record says the same. Never rejects: a note that stays is read once more. */
  async remove(): Promise<void> {
    const { fs } = this.#parameters;
    for (const [folder, prefix] of await this.#lookUp().catch(() => [])) {
      for (const name of await this.#notesIn(folder, prefix)) {
        await fs.promises.rm(join(folder, name), { force: true }).catch(() => undefined);
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
