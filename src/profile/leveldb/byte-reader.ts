import { DamageError } from './damage.js';

/** Reads values in LevelDB's encodings from front to back, and never beyond the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#position;
  }

  get done(): boolean {
    return this.#position >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#position];
    if (value === undefined) throw new DamageError('it ends in the middle of a value');
    this.#position++;
    return value;
  }

  /** Reads an unsigned varint up to 2^53 - 1; file numbers, sizes and offsets are never larger. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new DamageError('it holds a number out of all range');
  }

  take(length: number): Uint8Array {
    const end = this.#position + length;
    if (length < 0 || end > this.#bytes.length) throw new DamageError('it ends in the middle of a value');
    const slice = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return slice;
  }

  /** Reads a length and then that many bytes. */
  lengthPrefixed(): Uint8Array {
    return this.take(this.varint());
  }
}

/** Reads 4 bytes, little-endian. The caller must make sure that they exist. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}

/** Reads 2 bytes, little-endian. The caller must make sure that they exist. */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(offset, true);
}
