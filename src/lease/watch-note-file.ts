import { join } from 'node:path';
import type { FileSystem } from '../file-system.js';
import { readOwnJson, temporaryOf, writeOwnFile } from '../own-file.js';
import { assertRealFolder } from '../real-folder.js';
import type { NotePlace } from './kept-watch.js';

/** The file beside the lease files of a client in which it is noted how long they were watched. */
export function watchNoteFile(
  fs: FileSystem,
  directory: string,
  clientId: string,
  ownFolders: number,
): NotePlace {
  const [name, temporary] = watchNoteNames(clientId);
  const file = join(directory, name);
  return {
    read: () => readOwnJson(fs, file),
    write: async (note, signal) => {
      await assertRealFolder(fs, directory, ownFolders);
      if (!signal.aborted) await writeOwnFile(fs, file, `${JSON.stringify(note)}\n`, { durable: false });
    },
    remove: async () => {
      for (const each of [name, temporary]) await fs.promises.rm(join(directory, each), { force: true });
    },
  };
}

/** The names of that file, and of the one that a killed process may leave. */
export function watchNoteNames(clientId: string): readonly [string, string] {
  const name = `${clientId}.lease-watched`;
  return [name, temporaryOf(name)];
}
