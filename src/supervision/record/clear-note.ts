import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type FileSystem, makeFolders } from '../../file-system.js';
import { readOwnFile, temporaryOf, writeOwnFile } from '../../own-file.js';
import { type ProfileMark, profileMarkIn } from '../../profile/profile-mark.js';
import type { ProfileIdentity } from '../../types.js';

export interface ClearNoteParameters {
  readonly clientId: string;
  /** The profile that was cleared; several bots may have one `sessionPath`. */
  readonly profile: () => Promise<ProfileIdentity>;
  readonly sessionPath: string;
  readonly fs: FileSystem;
}

/** What is left to do of a `clear()`. */
export interface ClearIntent {
  /** When it was called, ISO 8601. */
  readonly clearedAt: string;
  /** `all`: the profile, too. `stores`: only the copies in the stores. Absent when it is done. */
  readonly left?: 'all' | 'stores';
  /** The logins that it ends; empty when it is done. */
  readonly lineages: readonly string[];
  /** The lineages that began with an import and were here before; see lineage.ts. */
  readonly imported: readonly string[];
  /** The profile as it is on the disk; one that has been put there since is not deleted. Absent when there was none. */
  readonly profile?: ProfileMark;
}

/**
 * Notes a `clear()` before it begins, so that the next start goes on with one that was interrupted, and when it was. A
 * store may have been away at that time without an error, such as a disk that was not mounted. When its copies come
 * back, they are known as older than the `clear()`, and are not restored automatically.
 */
export class ClearNote {
  readonly #parameters: ClearNoteParameters;

  constructor(parameters: ClearNoteParameters) {
    this.#parameters = parameters;
  }

  async write(intent: ClearIntent): Promise<void> {
    const { fs, sessionPath } = this.#parameters;
    await makeFolders(fs, sessionPath, 0o777);
    await writeOwnFile(fs, await this.#path(), `${JSON.stringify({ format: 1, ...intent })}\n`);
  }

  /** Puts back what was read before; see {@link read}. */
  async putBack(before: ClearIntent | undefined): Promise<void> {
    if (before !== undefined) return this.write(before);
    await this.#parameters.fs.promises.rm(await this.#path(), { force: true });
  }

  /** The last `clear()`; `undefined` when no readable note tells of one. */
  async read(): Promise<ClearIntent | undefined> {
    try {
      const text = await readOwnFile(this.#parameters.fs, await this.#path());
      return intentIn(JSON.parse(text ?? '{}') as Record<string, unknown>);
    } catch {
      return undefined;
    }
  }

  /** Removes what is left of a write that was killed. */
  async removeUnfinished(): Promise<void> {
    await this.#parameters.fs.promises.rm(temporaryOf(await this.#path()), { force: true });
  }

  async #path(): Promise<string> {
    const { clientId, profile, sessionPath } = this.#parameters;
    const { path, relativePath = path } = await profile();
    const name = createHash('sha256').update(relativePath).digest('hex').slice(0, 16);
    return join(sessionPath, `.${clientId}.cleared-${name}.json`);
  }
}

function intentIn(value: Record<string, unknown>): ClearIntent | undefined {
  const { clearedAt, left } = value;
  if (typeof clearedAt !== 'string' || Number.isNaN(Date.parse(clearedAt))) return undefined;
  const profile = profileMarkIn(value.profile);
  return {
    clearedAt,
    ...((left === 'all' || left === 'stores') && { left }),
    lineages: texts(value.lineages),
    imported: texts(value.imported),
    ...(profile !== undefined && { profile }),
  };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
