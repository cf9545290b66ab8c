/**
 * The part of archiver that is used, in the forms of its versions 7 (CommonJS, one function) and 8 (ES modules, a class
 * for each format).
 */
declare module 'archiver' {
  import type { Readable, Transform } from 'node:stream';
  import type { ZlibOptions } from 'node:zlib';

  export interface ZipOptions {
    readonly zlib: ZlibOptions;
    readonly highWaterMark: number;
  }

  export interface EntryData {
    readonly name: string;
    readonly date: Date;
    /** Unix permissions. */
    readonly mode: number;
    /** Stores the bytes as they are. */
    readonly store: boolean;
  }

  /** A zip that is being written; reading it gives its bytes. */
  export interface Archive extends Transform {
    /** Emits `entry` when all bytes of the source were taken, and `error`. */
    append(source: Buffer | Readable, data: EntryData): this;
    /** Writes the directory. */
    finalize(): Promise<void>;
  }

  /** Version 8. */
  export const ZipArchive: (new (options: ZipOptions) => Archive) | undefined;
  /** Version 7. */
  const create: ((format: 'zip', options: ZipOptions) => Archive) | undefined;
  export default create;
}
