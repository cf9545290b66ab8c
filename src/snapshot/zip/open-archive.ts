/// <reference path="./archiver.d.ts" />
import type { Archive, ZipOptions } from 'archiver';
import { SessionError } from '../../errors.js';

/** The forms in which versions of archiver are loaded. */
export type ArchiverModule = Pick<typeof import('archiver'), 'ZipArchive' | 'default'>;

/**
 * Opens an archive of the installed archiver, 7 or 8, which is loaded with the first zip: most processes of a bot write
 * their zips in the worker thread and never load it.
 */
export async function openArchive(
  options: ZipOptions,
  load: () => Promise<Partial<ArchiverModule>> = () => import('archiver'),
): Promise<Archive> {
  const { ZipArchive, default: create } = await load();
  if (typeof ZipArchive === 'function') return new ZipArchive(options);
  if (typeof create === 'function') return create('zip', options);
  throw new SessionError(
    'INTERNAL',
    "the installed package 'archiver' has neither the class of version 8 nor the function of version 7: " +
      'install archiver ^7.0.1 || ^8.0.0',
  );
}
