import type { FileSystem } from '../../file-system.js';
import { isRenamed, profileMark } from '../../profile/profile-mark.js';
import { recordBeside } from './record-beside.js';
import { lineagesIn, type SessionRecord } from './session-record.js';

/**
 * Whether a record has come here by a copy that left the profile out, such as `cp -r bot bot2` and then `rm -rf session-*`: no
 * profile is here, and the one that the record belongs to is still at its own place. Its login then belongs to that place.
 * Where the bot was moved, its old place is empty, or has a profile that knows nothing of this login.
 *
 * @param here path of the profile beside which the record lies
 * @throws what the disk throws for a profile that can't be looked at
 */
export async function isCopiedWithoutProfile(
  fs: FileSystem,
  record: SessionRecord,
  here: string,
): Promise<boolean> {
  const { owner, lineage, profileMark: was } = record;
  if (owner === undefined || owner.path === here || lineage === undefined) return false;
  if ((await profileMark(fs, here)) !== undefined) return false;
  const there = await profileMark(fs, owner.path).catch(() => undefined);
  if (there === undefined) return false;
  if (was !== undefined && isRenamed(was, there)) return true;
  return lineagesIn(await recordBeside(fs, owner.path)).includes(lineage);
}

/** Whether another profile than the one at `here` lies at `path`, and has this login by its record. Never rejects. */
export async function hasLineage(
  fs: FileSystem,
  path: string,
  { lineage, here }: { readonly lineage: string; readonly here: string },
): Promise<boolean> {
  const [there, ours] = await Promise.all(
    [path, here].map((one) => profileMark(fs, one).catch(() => undefined)),
  );
  if (there === undefined || ours === undefined || isRenamed(there, ours)) return false;
  return (await recordBeside(fs, path)).lineage === lineage;
}
