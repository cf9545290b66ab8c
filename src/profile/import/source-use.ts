import { type Clock, sleep } from '../../clock.js';
import { ProfileLockedError } from '../../errors.js';
import type { FileSystem } from '../../file-system.js';
import { ESSENTIAL_PARTS } from '../essential-files.js';
import { readProfileLock } from '../profile-lock.js';
import { lstatIfPresent, walkFiles } from '../walk.js';
import { type OldSession, profileOf } from './old-session.js';

/** A profile that was not written to for this time has no running browser on any machine. */
const LEFT_AFTER_MS = 5 * 60 * 1000;
/** How long a recently written profile is watched: a live page writes to it every 60 s (docs/chromium-facts.md F1.5). */
const WATCH_MS = 65_000;

export interface SourceUseOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** This machine's name, as Chromium sees it: `os.hostname()`. */
  readonly hostname: string;
  readonly isAlive: (pid: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes sure that no browser has an old session open: two browsers with one login end in a conflict, and their data
 * diverge. A lock of another host proves nothing, because a replaced container also leaves one. In that case the files are
 * watched for a minute, unless they were not written to recently.
 *
 * @throws ProfileLockedError with the pid, if it is known
 */
export async function assertUnused(session: OldSession, options: SourceUseOptions): Promise<void> {
  const lock = await assertNotOpen(session, options);
  if (lock !== 'other-host') return;
  const { clock, signal } = options;
  const seen = await lookAt(session, options);
  if (clock.now() - seen.writtenMs > LEFT_AFTER_MS) return;
  await sleep(clock, WATCH_MS, signal);
  await assertUntouched(session, seen, options);
}

/** The sizes and times of an old session's files at one moment. */
export interface SourceLook {
  /** Stays equal until somebody writes to the session. */
  readonly text: string;
  /** When it was last written to, ms since 1970. */
  readonly writtenMs: number;
}

/** Reads the sizes and times of the files that an import would take. */
export async function lookAt(session: OldSession, { fs }: Pick<SourceUseOptions, 'fs'>): Promise<SourceLook> {
  const lines: string[] = [];
  let writtenMs = 0;
  const parts = session.kind === 'zip' ? [''] : ESSENTIAL_PARTS;
  for (const part of parts) {
    for await (const { path, size, modifiedMs } of walkFiles(fs, session.path, part)) {
      lines.push(`${path} ${size} ${modifiedMs}`);
      writtenMs = Math.max(writtenMs, modifiedMs);
    }
  }
  return { text: lines.join('\n'), writtenMs };
}

/** @throws ProfileLockedError when the session was opened or written to since that look */
export async function assertUntouched(
  session: OldSession,
  before: SourceLook,
  options: SourceUseOptions,
): Promise<void> {
  await assertNotOpen(session, options);
  if ((await lookAt(session, options)).text === before.text) return;
  throw new ProfileLockedError(
    `the old session is in use: it was written to while it was looked at. Stop the old bot first: ${session.path}`,
  );
}

async function assertNotOpen(session: OldSession, options: SourceUseOptions): Promise<'other-host' | 'free'> {
  const profileDir = profileOf(session);
  if ((await lstatIfPresent(options.fs, profileDir)) === undefined) return 'free';
  const lock = await readProfileLock(profileDir, options);
  if (lock.kind === 'live') {
    throw new ProfileLockedError(
      `the old session is in use by another process (pid ${lock.pid}); stop the old bot first, and never run both: ` +
        profileDir,
      { pid: lock.pid },
    );
  }
  return lock.kind === 'other-host' ? 'other-host' : 'free';
}
