/** The only module of unzipper that is used; the package's types describe only its main module. */
declare module 'unzipper/lib/Open/directory.js' {
  import type { Readable } from 'node:stream';
  import type { CentralDirectory } from 'unzipper';

  /** A zip that can be read at any position. */
  export interface DirectorySource {
    size(): Promise<number>;
    /** From `offset` to the end, or `length` bytes of it. */
    stream(offset: number, length?: number): Readable;
  }

  /** Reads the records of a zip's directory. */
  export default function openDirectory(source: DirectorySource): Promise<CentralDirectory>;
}
