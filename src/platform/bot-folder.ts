import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** More folders than any path has. */
const MAX_DEPTH = 64;

/**
 * The folder of the bot: the nearest folder with a package.json at or above its main script. It moves with the
 * bot, and does not depend on the working directory. `undefined` when there is none. Only reads the disk.
 *
 * @param script the script that node was started with; pm2 starts a script of its own and gives the bot's in
 * `pm_exec_path`
 */
export function findBotFolder(
  script: string | undefined = process.env.pm_exec_path ?? process.argv[1],
): string | undefined {
  if (script === undefined) return undefined;
  let folder: string;
  try {
    folder = dirname(realpathSync(script));
  } catch {
    return undefined;
  }
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return undefined;
    folder = dirname(folder);
  }
  return undefined;
}
