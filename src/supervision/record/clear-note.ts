import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../../file-system.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import type { ProfileIdentity } from '../../types.js';

export interface ClearNoteParameters {
  readonly clientId: string;
  /** The profile that was cleared; several bots may have one `sessionPath`. */
  readonly profile: () => Promise<ProfileIdentity>;
  readonly sessionPath: string;
  readonly fs: FileSystem;
}

/**
 * Notes when `clear()` was called. A store may have been away at that time without an error, such as a disk that was not
 * mounted. When its copies come back, they are known as older than the `clear()`, and are not restored automatically.
 */
export class ClearNote {
  readonly #parameters: ClearNoteParameters;

  constructor(parameters: ClearNoteParameters) {
    this.#parameters = parameters;
  }

  /** @param at the time of the `clear()`, ISO 8601 */
  async write(at: string): Promise<void> {
    const { fs, sessionPath } = this.#parameters;
    await fs.promises.mkdir(sessionPath, { recursive: true });
    await writeOwnFile(fs, await this.#path(), `${JSON.stringify({ format: 1, clearedAt: at })}\n`);
  }

  /** When the last `clear()` was, ISO 8601; `undefined` when no readable note tells. */
  async read(): Promise<string | undefined> {
    try {
      const text = await readOwnFile(this.#parameters.fs, await this.#path());
      const { clearedAt } = JSON.parse(text ?? '{}') as { readonly clearedAt?: unknown };
      return typeof clearedAt === 'string' && !Number.isNaN(Date.parse(clearedAt)) ? clearedAt : undefined;
    } catch {
      return undefined;
    }
  }

  async #path(): Promise<string> {
    const { clientId, profile, sessionPath } = this.#parameters;
    const { path, relativePath = path } = await profile();
    const name = createHash('sha256').update(relativePath).digest('hex').slice(0, 16);
    return join(sessionPath, `.${clientId}.cleared-${name}.json`);
  }
}
