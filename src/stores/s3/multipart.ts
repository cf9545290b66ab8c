import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { loadPeer } from '../load-peer.js';
import type { Channel, S3Connection } from './connection.js';

/** A part, and so what is sent again when a request fails; bytes. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** S3 takes 10,000; some room is left for a size that is only estimated. */
const MOST_PARTS = 9_000;

export interface PartsUpload {
  readonly key: string;
  readonly target: Pick<PutObjectCommandInput, 'Bucket' | 'Key' | 'Metadata'>;
  /** If known, it decides how large the parts are. */
  readonly size: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Uploads a stream in parts. The value becomes visible with the last request, as a whole; where anything fails before, the
 * parts are removed again.
 *
 * @returns an empty ETag where the service does not tell it (Ceph), or the answer to the last request was lost
 */
export async function uploadInParts(
  connection: S3Connection,
  stream: Readable,
  { key, target, size, signal }: PartsUpload,
): Promise<{ readonly etag: string; readonly size: number }> {
  let sent = 0;
  let sourceError: unknown;
  async function* counted() {
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        sent += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  const body = Readable.from(counted(), { objectMode: false });
  body.on('error', () => undefined); // the upload reports it
  return connection.run(`put "${key}"`, { signal, isLarge: true }, async (channel) => {
    const { Upload } = await loadPeer(
      '@aws-sdk/lib-storage',
      'S3Store',
      (name) =>
        import(/* webpackIgnore: true */ /* turbopackIgnore: true */ name) as Promise<
          typeof import('@aws-sdk/lib-storage')
        >,
    );
    const upload = new Upload({
      client: withLimits(channel),
      params: { ...target, Body: body },
      partSize: Math.max(PART_BYTES, Math.ceil((size ?? 0) / MOST_PARTS)),
      queueSize: PARTS_AT_ONCE,
      leavePartsOnError: false,
    });
    try {
      const { ETag } = await upload.done();
      return { etag: ETag ?? '', size: sent };
    } catch (error) {
      // The last request was sent again, after its answer was lost: it may have been done.
      if (sourceError === undefined && errorName(error) === 'NoSuchUpload') return { etag: '', size: sent };
      throw sourceError ?? error;
    } finally {
      body.destroy();
      stream.destroy();
    }
  });
}

/**
 * The client for an upload: its requests end with the call. Only the one that removes the parts goes on, with the usual
 * time limit.
 */
function withLimits({ sdk, client, http }: Channel): S3Client {
  const send = (command: Parameters<S3Client['send']>[0]) =>
    command instanceof sdk.AbortMultipartUploadCommand ? client.send(command) : client.send(command, http);
  return Object.create(client, { send: { value: send } });
}

function errorName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}
