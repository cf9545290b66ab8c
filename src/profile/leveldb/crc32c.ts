/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;
/** LevelDB's `kMaskDelta` (util/crc32c.h): a CRC stored beside its data is masked. */
const MASK_DELTA = 0xa282ead8;

/** The tables of the slicing-by-8 method: table `k` at `k * 256` gives a byte's CRC when `k` zero bytes follow it. */
const TABLES = makeTables();

/**
 * CRC32C of `data`, as an unsigned number. For data in pieces, pass the result of the earlier bytes as `previous`.
 *
 * @example
 * crc32c(new TextEncoder().encode('123456789')).toString(16); // 'e3069283'
 */
export function crc32c(data: Uint8Array, previous = 0): number {
  const t = TABLES;
  const end = data.length;
  const endOfEights = end - (end % 8);
  let crc = ~previous;
  let i = 0;
  for (; i < endOfEights; i += 8) {
    crc ^= at(data, i) | (at(data, i + 1) << 8) | (at(data, i + 2) << 16) | (at(data, i + 3) << 24);
    crc =
      at(t, 1792 + (crc & 255)) ^
      at(t, 1536 + ((crc >>> 8) & 255)) ^
      at(t, 1280 + ((crc >>> 16) & 255)) ^
      at(t, 1024 + (crc >>> 24)) ^
      at(t, 768 + at(data, i + 4)) ^
      at(t, 512 + at(data, i + 5)) ^
      at(t, 256 + at(data, i + 6)) ^
      at(t, at(data, i + 7));
  }
  for (; i < end; i++) crc = at(t, (crc ^ at(data, i)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The masked form in which LevelDB stores a CRC. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** The CRC for a masked value that LevelDB stored. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** The type checker can't see that these indices are in range. V8 inlines the call, and `| 0` costs nothing. */
function at(values: Uint8Array | Uint32Array, index: number): number {
  return (values[index] as number) | 0;
}

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[byte] = crc >>> 0;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = at(tables, i - 256);
    tables[i] = ((before >>> 8) ^ at(tables, before & 255)) >>> 0;
  }
  return tables;
}
