import { join } from 'node:path';
import type { FileSystem } from '../../file-system.js';
import { readOwnFile } from '../../own-file.js';
import { sideFolder } from '../../profile/side-folder.js';
import { EMPTY_RECORD, parseRecord, type SessionRecord } from './session-record.js';

/**
 * The record of another profile, beside it or inside of it. Never rejects: one that is missing, damaged or can't be read is
 * empty.
 */
export async function recordBeside(fs: FileSystem, profileDir: string): Promise<SessionRecord> {
  for (const placement of ['beside', 'inside'] as const) {
    const file = join(sideFolder(profileDir, placement).root, 'session.json');
    const text = await readOwnFile(fs, file).catch(() => undefined);
    try {
      if (text !== undefined) return parseRecord(text);
    } catch {
      // a damaged record tells nothing
    }
  }
  return EMPTY_RECORD;
}
