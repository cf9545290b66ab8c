import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** More folders than any path has. */
const MAX_DEPTH = 64;

/**
 * The folder of the bot: where the package.json above its main script is. It moves with the bot, and stays the same from
 * whatever working directory the bot is started; `undefined` where there is none. Reads the disk, and changes nothing.
 *
 * @param script what node was started with; pm2 starts a script of its own and tells the bot's in `pm_exec_path`
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
