import { ByteReader } from './byte-reader.js';
import { DamageError } from './damage.js';

/**
 * Decompresses one raw Snappy block (google/snappy, format_description.txt).
 * Throws {@link DamageError} and nothing else; never writes more than `maxBytes`.
 */
export function decompressSnappy(compressed: Uint8Array, maxBytes: number): Uint8Array {
  const reader = new ByteReader(compressed);
  const length = reader.varint();
  // An element of 3 bytes gives 64 bytes at most, so a larger stated length is wrong and would only cost memory.
  if (length > maxBytes || length > compressed.length * 22) {
    throw new DamageError('a compressed block claims to be longer than it can be');
  }
  const output = new Uint8Array(length);
  let at = 0;
  while (!reader.done) {
    const tag = reader.byte();
    const element = tag & 3;
    if (element === 0) {
      const literal = reader.take(literalLength(tag >>> 2, reader));
      if (at + literal.length > length) throw new DamageError('a compressed block is longer than it says');
      output.set(literal, at);
      at += literal.length;
      continue;
    }
    const size = element === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset =
      element === 1 ? (tag >>> 5) * 256 + reader.byte() : littleEndian(reader, element === 2 ? 2 : 4);
    if (offset === 0 || offset > at || at + size > length) {
      throw new DamageError('a compressed block points outside of itself');
    }
    // Copied byte by byte, because source and target may overlap: that is how Snappy encodes repetitions.
    for (let i = 0; i < size; i++, at++) output[at] = output[at - offset] ?? 0;
  }
  if (at !== length) throw new DamageError('a compressed block is shorter than it says');
  return output;
}

function literalLength(code: number, reader: ByteReader): number {
  return (code < 60 ? code : littleEndian(reader, code - 59)) + 1;
}

function littleEndian(reader: ByteReader, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value += reader.byte() * 256 ** i;
  return value;
}
