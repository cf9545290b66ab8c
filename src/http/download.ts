import { Readable } from 'node:stream';
import { isSnapshotId } from '../snapshot/snapshot-id.js';
import { HttpError, notFound } from './errors.js';
import type { SessionLike } from './session-like.js';

/**
 * A backup's zip as a download.
 *
 * @param id as it stands in the path: any text
 * @throws HttpError 403 or 404; SnapshotNotFoundError, SnapshotCorruptError, InvalidStateError for a save
 */
export async function download(session: SessionLike, id: string, isAllowed: boolean): Promise<Response> {
  if (!isAllowed) {
    throw new HttpError(403, 'DOWNLOAD_DISABLED', 'a backup is the whole login: allowDownload is not set');
  }
  if (!isSnapshotId(id)) throw notFound('this is no id of a snapshot');
  const { snapshot, body } = await session.openBackup(id);
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, {
    headers: {
      'Content-Type': 'application/zip',
      'Content-Disposition': `attachment; filename="${snapshot.clientId}_${snapshot.id}_run${snapshot.run}.zip"`,
    },
  });
}
