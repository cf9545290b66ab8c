import { errnoOf } from '../../errors.js';
import { type FileSystem, openWithoutWaiting, PRIVATE_FILE_MODE, writeAll } from '../../file-system.js';
import type { CapturedFile, FileSignature } from '../../types.js';
import { signatureOf, throwIfAborted } from '../walk.js';
import { ChangedMeanwhile } from './retry.js';

const PIECE_BYTES = 1024 * 1024;
/** Error codes of a failed hard link, after which the file is copied: no support for links, or another file system. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EINVAL']);

/** The folders that a capture reads from and writes to. */
export interface CapturePlaces {
  readonly fs: FileSystem;
  readonly profileDir: string;
  readonly targetDir: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether hard links may be used. False if the copy must not share any data with the original. Default true. */
  readonly links?: boolean | undefined;
}

/**
 * Copies a file that may grow, up to its present length; later bytes belong to a later moment. Never makes a hard link,
 * because LevelDB appends to logs and MANIFESTs in place (docs/chromium-facts.md F1.3).
 */
export function copyPrefix(places: CapturePlaces, path: string): Promise<CapturedFile> {
  return copyGrowing(places, `${places.profileDir}/${path}`, path);
}

/** Like {@link copyPrefix}, for a file that is read at another place: `from` is absolute, `path` relative to the target. */
export async function copyGrowing(places: CapturePlaces, from: string, path: string): Promise<CapturedFile> {
  const { fs, targetDir, signal } = places;
  const source = await openWithoutWaiting(fs, from);
  try {
    const stats = await source.stat({ bigint: true });
    if (!stats.isFile()) throw new ChangedMeanwhile(path, 'it is not a file');
    const size = Number(stats.size);
    const target = await fs.promises.open(`${targetDir}/${path}`, 'wx', PRIVATE_FILE_MODE);
    try {
      const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(PIECE_BYTES, size)));
      for (let done = 0; done < size; ) {
        throwIfAborted(signal);
        const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, size - done), done);
        if (bytesRead === 0) throw new ChangedMeanwhile(path, 'it became shorter while it was copied');
        await writeAll(target, buffer.subarray(0, bytesRead), done);
        done += bytesRead;
      }
    } finally {
      await target.close();
    }
    return { path, size, source: signatureOf(stats) };
  } finally {
    await source.close();
  }
}

/** Takes a file that never changes once it has its name: by a hard link if possible, else by a copy. */
export async function linkOrCopy(places: CapturePlaces, path: string): Promise<CapturedFile> {
  const { fs, profileDir, targetDir, links = true } = places;
  const stats = await fs.promises.lstat(`${profileDir}/${path}`, { bigint: true });
  if (!stats.isFile()) throw new ChangedMeanwhile(path, 'it is not a file');
  if (!links) return copyPrefix(places, path);
  try {
    await fs.promises.link(`${profileDir}/${path}`, `${targetDir}/${path}`);
  } catch (error) {
    if (!isNoLink(error)) throw error;
    return copyPrefix(places, path);
  }
  return { path, size: Number(stats.size), source: signatureOf(stats) };
}

/** Whether the file system can't make this hard link. */
export function isNoLink(error: unknown): boolean {
  return NO_LINK.has(errnoOf(error) ?? '');
}

/** The signature of a live file; throws `ENOENT` when the file is gone. */
export async function readSignature(
  places: Pick<CapturePlaces, 'fs' | 'profileDir'>,
  path: string,
): Promise<FileSignature> {
  return signatureOf(await places.fs.promises.lstat(`${places.profileDir}/${path}`, { bigint: true }));
}
