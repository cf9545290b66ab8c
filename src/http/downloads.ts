import { Readable } from 'node:stream';
import { isSnapshotId } from '../snapshot/manifest/snapshot-id.js';
import { HttpError, notFound, tooMany } from './errors.js';
import type { SessionLike } from './session-like.js';

/** A limit, because each download holds an open file and verifies all of its bytes first. */
const MAX_OPEN = 4;
const RETRY_AFTER_MS = 10_000;

/** Serves the zips of backups as downloads, a few at a time. */
export class Downloads {
  readonly #session: SessionLike;
  readonly #isAllowed: boolean;
  #open = 0;

  constructor(session: SessionLike, isAllowed: boolean) {
    this.#session = session;
    this.#isAllowed = isAllowed;
  }

  /**
   * @param id the id from the path; may be any text
   * @throws HttpError 403, 404 or 429; SnapshotNotFoundError, SnapshotCorruptError, InvalidStateError for a save
   */
  async open(id: string): Promise<Response> {
    if (!this.#isAllowed) {
      throw new HttpError(403, 'DOWNLOAD_DISABLED', 'a backup is the whole login: allowDownload is not set');
    }
    if (!isSnapshotId(id)) throw notFound('this is no id of a snapshot');
    if (this.#open >= MAX_OPEN) {
      throw tooMany('TOO_MANY_DOWNLOADS', `${MAX_OPEN} downloads are under way`, RETRY_AFTER_MS);
    }
    this.#open++;
    try {
      const { snapshot, body } = await this.#session.openBackup(id);
      body.once('close', () => this.#open--);
      return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, {
        headers: {
          'Content-Type': 'application/zip',
          'Content-Disposition': `attachment; filename="${snapshot.clientId}_${snapshot.id}_run${snapshot.run}.zip"`,
        },
      });
    } catch (error) {
      this.#open--;
      throw error;
    }
  }
}
