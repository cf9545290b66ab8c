import { SnapshotUnsafeError } from '../../errors.js';
import { clientIdsOf, type OldSession } from '../../profile/import/old-session.js';
import type { ImportedZip } from '../../snapshot/zip/import-zip.js';

/**
 * A zip that was chosen by the client id in its name must not hold another client id's session. When a person named
 * the file, this is not checked, because a session may move to another client id.
 */
export function assertOfItsName({ clientId, path }: OldSession, { folder, manifest }: ImportedZip): void {
  if (clientId === undefined) return;
  const told = [...clientIdsOf(folder), manifest?.clientId ?? clientId];
  const other = told.find((one) => one !== clientId);
  if (other === undefined) return;
  throw new SnapshotUnsafeError(
    `the zip is of the client id '${clientId}' by its name, and holds the session of '${other}' (${path})`,
  );
}
