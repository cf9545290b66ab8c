import type { BigIntStats } from 'node:fs';

/** What tells, without reading it, whether a file that only grows is still the same file. */
export interface FileIdentity {
  /** Disk, inode and birth time; a file system that knows no birth time reports the same for all. */
  readonly id: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

export function fileIdentityOf(
  stats: Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs' | 'size' | 'mtimeNs'>,
): FileIdentity {
  const { dev, ino, birthtimeNs, size, mtimeNs } = stats;
  return { id: `${dev} ${ino} ${birthtimeNs}`, size: Number(size), mtimeNs };
}

/** Whether it is the same file, and has been left alone or has become longer. */
export function hasOnlyGrown(before: FileIdentity, now: FileIdentity): boolean {
  if (before.id !== now.id) return false;
  return now.size === before.size
    ? now.mtimeNs === before.mtimeNs
    : now.size > before.size && now.mtimeNs >= before.mtimeNs;
}
