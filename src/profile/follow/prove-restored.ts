import { describeError } from '../../errors.js';
import { defineTask } from '../../task.js';
import { readDatabase } from '../leveldb/database.js';
import { logNamesIn, logNumberOf } from './keep-logs.js';
import { FOLLOWED_FOLDER, nameOf } from './kept-base.js';
import { LogChain, readSoundLog } from './log-chain.js';

export interface RestoredLogs {
  /** A restored profile. */
  readonly profileDir: string;
  /** Logs that will take the place of those of the profile, or lie beside them: absolute paths by path in the profile. */
  readonly newer: readonly { readonly path: string; readonly source: string }[];
}

/**
 * Whether the logs of a restored profile are the unbroken continuation of its tables, together with newer ones that are not
 * in place yet: the same proof that a followed copy needs.
 *
 * @returns what is wrong; `undefined` for nothing
 */
export const proveRestoredTask = defineTask<RestoredLogs, string | undefined>(
  'profile:prove-restored',
  async ({ profileDir, newer }, { fs, signal }) => {
    const folder = `${profileDir}/${FOLLOWED_FOLDER}`;
    try {
      const { logNumber, prevLogNumber, lastSequence } = (await readDatabase(fs, folder)).version;
      if (prevLogNumber !== 0) return 'its database is of another format';
      const sources = new Map((await logNamesIn(fs, folder)).map((name) => [name, `${folder}/${name}`]));
      for (const { path, source } of newer) {
        if (path.startsWith(`${FOLLOWED_FOLDER}/`)) sources.set(nameOf(path), source);
      }
      const numberOf = (name: string) => logNumberOf(name) ?? 0;
      const names = [...sources.keys()]
        .filter((name) => numberOf(name) >= logNumber)
        .sort((a, b) => numberOf(a) - numberOf(b));
      const chain = new LogChain(lastSequence);
      for (const name of names) {
        const isComplete = name !== names.at(-1);
        const log = await readSoundLog(fs, sources.get(name) ?? '', { isComplete, signal });
        chain.add(name, log.span);
      }
      return chain.reachesBase ? undefined : 'its logs end before what its MANIFEST knows of';
    } catch (error) {
      signal?.throwIfAborted();
      return describeError(error).message;
    }
  },
);
