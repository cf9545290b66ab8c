/** Compression methods of the format (APPNOTE.TXT 4.4.5). */
export const STORED = 0 as const;
export const DEFLATED = 8 as const;

/** One file inside a zip: where its bytes lie and what they claim to unpack to. */
export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  /** Position and length of the stored (perhaps deflated) data. */
  readonly dataOffset: number;
  readonly dataSize: number;
  /** The size that it claims to unpack to. */
  readonly size: number;
  /** The checksum that the zip declares for its bytes. */
  readonly crc32: number;
}
