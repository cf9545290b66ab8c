import { isBlobPath } from './essential-files.js';
import { NO_SOUND_TABLES, type SoundTables } from './sound-tables.js';

/** What a session knows of its profile from the last time that it was looked at in depth. */
export class ProfileMemory {
  soundTables: SoundTables = NO_SOUND_TABLES;
  /** Blobs that it had, relative to it. */
  blobs: readonly string[] = [];

  noteBlobs(files: readonly { readonly path: string }[]): void {
    this.blobs = files.map(({ path }) => path).filter(isBlobPath);
  }

  /** After any doubt: the next check reads every table. */
  forgetTables(): void {
    this.soundTables = NO_SOUND_TABLES;
  }
}
