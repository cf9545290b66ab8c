import { isBlobPath } from '../essential-files.js';
import { logNumberOf } from './keep-logs.js';
import { FOLLOWED_FOLDER } from './kept-base.js';

/** Whether a path of a profile is that of a log of the database that is followed, or of one of its blobs. */
export function isFollowedPath(path: string): boolean {
  const folder = `${FOLLOWED_FOLDER}/`;
  return (
    isBlobPath(path) || (path.startsWith(folder) && logNumberOf(path.slice(folder.length)) !== undefined)
  );
}
