import type { FileSystem } from '../../file-system.js';
import type { CapturedFile } from '../../types.js';
import { isMissing, signatureOf } from '../walk.js';
import { logNamesIn, logNumberOf } from './keep-logs.js';
import { FOLLOWED_FOLDER, type KeptBase } from './kept-base.js';
import { isSameDatabase } from './prove-logs.js';

/**
 * Replaces IndexedDB's files in a list of a live profile's files by those of a base and its logs.
 *
 * @param live the essential files of the live profile
 * @returns an empty list when the base can't be followed, or a log has begun that is not kept yet
 */
export async function followedSignatures(
  { fs, profileDir }: { readonly fs: FileSystem; readonly profileDir: string },
  base: KeptBase,
  live: readonly CapturedFile[],
): Promise<readonly CapturedFile[]> {
  try {
    if (!(await isSameDatabase({ fs, profileDir }, base))) return [];
    const names = (await logNamesIn(fs, base.folder)).filter(
      (name) => (logNumberOf(name) ?? 0) >= base.logNumber,
    );
    const newestLive = (await logNamesIn(fs, `${profileDir}/${FOLLOWED_FOLDER}`)).at(-1);
    if (newestLive === undefined || newestLive !== names.at(-1)) return [];
    const logs: CapturedFile[] = [];
    for (const name of names) {
      const source = signatureOf(await fs.promises.lstat(`${base.folder}/${name}`, { bigint: true }));
      logs.push({ path: `${FOLLOWED_FOLDER}/${name}`, size: source.size, source });
    }
    const others = live.filter(({ path }) => !path.startsWith(`${FOLLOWED_FOLDER}/`));
    return [...others, ...base.files, ...logs].sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
