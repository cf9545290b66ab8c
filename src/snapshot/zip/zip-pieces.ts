import { Transform, type TransformCallback } from 'node:stream';

/**
 * Takes chunks of any length, of which archiver makes many with only two bytes, and gives their bytes in pieces of one
 * length. While nobody takes the pieces it takes no more chunks.
 */
export class ZipPieces extends Transform {
  readonly #pieceBytes: number;
  #piece: Buffer<ArrayBuffer>;
  #filled = 0;
  #copied = 0;
  #wanted: { readonly bytes: number; readonly resolve: () => void } | undefined;
  #lent: ArrayBufferLike | undefined;
  #lentBytes = 0;

  constructor(pieceBytes: number) {
    super({ writableHighWaterMark: pieceBytes, readableObjectMode: true, readableHighWaterMark: 1 });
    this.#pieceBytes = pieceBytes;
    this.#piece = Buffer.allocUnsafeSlow(pieceBytes);
  }

  /** Bytes of all chunks that were copied into pieces. */
  get copied(): number {
    return this.#copied;
  }

  /** Whether every byte of the last memory that was lent has been copied, so that it may be used again. */
  get isReturned(): boolean {
    return this.#lentBytes === 0;
  }

  /** Announces bytes that will come as chunks, without being copied before. */
  lend(bytes: Buffer): void {
    this.#lent = bytes.buffer;
    this.#lentBytes = bytes.length;
  }

  /** Resolves when this many bytes were copied; only one call may wait. */
  untilCopied(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#copied >= bytes) resolve();
      else this.#wanted = { bytes, resolve };
    });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    for (let done = 0; done < chunk.length; ) {
      const count = chunk.copy(this.#piece, this.#filled, done);
      done += count;
      this.#filled += count;
      if (this.#filled === this.#pieceBytes) {
        this.push(this.#piece);
        this.#piece = Buffer.allocUnsafeSlow(this.#pieceBytes);
        this.#filled = 0;
      }
    }
    this.#copied += chunk.length;
    if (chunk.buffer === this.#lent) this.#lentBytes -= chunk.length;
    if (this.#wanted !== undefined && this.#copied >= this.#wanted.bytes) {
      this.#wanted.resolve();
      this.#wanted = undefined;
    }
    callback();
  }

  override _flush(callback: TransformCallback): void {
    if (this.#filled > 0) this.push(this.#piece.subarray(0, this.#filled));
    callback();
  }
}
