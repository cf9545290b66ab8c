import { basename, dirname, join } from 'node:path';
import { isUnanswered } from '../disk-gate/gated-file-system.js';
import type { FileSystem } from '../file-system.js';
import { commandLine } from '../processes.js';
import { detectPlatform, type Environment } from './detect-platform.js';
import { detectFileWatcher } from './file-watcher.js';
import { readMountinfo } from './storage.js';
import type { StorageFacts } from './storage-warnings.js';

/** More folders than any path has. */
const MAX_DEPTH = 256;

export interface StorageQuestion {
  readonly fs: FileSystem;
  /** Absolute; need not exist. */
  readonly sessionPath: string;
  /** Absolute; need not exist. */
  readonly backupPath: string;
  readonly env?: Environment;
  /** Returns the command line of a process. Default: reads it from the machine. */
  readonly commandLineOf?: (pid: number) => Promise<string | undefined>;
  /** Default: the working directory. */
  readonly botFolder?: string;
}

/**
 * Reads all facts that {@link storageWarnings} needs. Facts that can't be read are left out; never rejects.
 *
 * @example const warnings = storageWarnings(await readStorageFacts({ fs, sessionPath, backupPath }));
 */
export async function readStorageFacts(question: StorageQuestion): Promise<StorageFacts> {
  const { fs, env = process.env, commandLineOf = commandLine, botFolder = process.cwd() } = question;
  const dockerenv = (await exists(fs, '/.dockerenv')) || (await exists(fs, '/run/.containerenv'));
  const session = await locate(fs, question.sessionPath);
  const backup = await locate(fs, question.backupPath);
  const parentCommand = await commandLineOf(process.ppid).catch(() => undefined);
  const nodemonSettings = await readNodemonSettings(fs, botFolder);
  const known = session.device !== undefined && backup.device !== undefined;
  return {
    platform: detectPlatform(env, { dockerenv }),
    sessionPath: session.path,
    backupPath: backup.path,
    mountinfo: await readMountinfo(fs),
    devices: known ? { session: Number(session.device), backup: Number(backup.device) } : undefined,
    env,
    parentCommand,
    watcher: detectFileWatcher({ env, parentCommand, nodemonSettings }),
    botFolder: (await locate(fs, botFolder)).path,
  };
}

async function readNodemonSettings(fs: FileSystem, folder: string): Promise<string> {
  const own = await readJson(fs, join(folder, 'nodemon.json'));
  const { nodemonConfig } = ((await readJson(fs, join(folder, 'package.json'))) ?? {}) as Record<
    string,
    unknown
  >;
  return JSON.stringify([own ?? {}, nodemonConfig ?? {}]);
}

async function readJson(fs: FileSystem, path: string): Promise<unknown> {
  try {
    return JSON.parse(String(await fs.promises.readFile(path)));
  } catch {
    return undefined;
  }
}

/** Finds where a path, which may not exist yet, really lies: the links in its existing part are resolved. */
async function locate(
  fs: FileSystem,
  path: string,
): Promise<{ readonly path: string; readonly device?: number }> {
  const missing: string[] = [];
  let folder = path;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    try {
      const real = String(await fs.promises.realpath(folder));
      const { dev } = await fs.promises.stat(real);
      return { path: join(real, ...missing), device: Number(dev) };
    } catch (error) {
      if (dirname(folder) === folder || isUnanswered(error)) break;
      missing.unshift(basename(folder));
      folder = dirname(folder);
    }
  }
  return { path };
}

async function exists(fs: FileSystem, path: string): Promise<boolean> {
  return await fs.promises.access(path).then(
    () => true,
    () => false,
  );
}
