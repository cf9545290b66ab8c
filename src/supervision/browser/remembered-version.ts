import { dirname } from 'node:path';
import { type BrowserVersion, parsePrinted, versionOfExecutable } from '../../client/browser-version.js';
import { type FileSystem, makeFolders, systemFileSystem } from '../../file-system.js';
import { readOwnJson, writeOwnFile } from '../../own-file.js';

export interface RememberedVersionParameters {
  readonly fs: FileSystem;
  /** The file in which the last answer is kept. */
  readonly path: () => Promise<string>;
  /** Default: runs the program to ask for its version. */
  readonly ask?: (executablePath: string) => Promise<BrowserVersion | undefined>;
}

/** What a program has answered, and how its file looked then. */
interface Answer {
  readonly program: string;
  readonly signature: string;
  readonly text: string;
}

/**
 * The version of a browser's program. Asking it takes as much CPU time as a third of a start, so it is only asked when its
 * file has changed since the last answer. A script may start another browser than before although it has not changed;
 * the launched browser is asked in any case.
 */
export async function rememberedVersion(
  executablePath: string,
  { fs, path, ask = versionOfExecutable }: RememberedVersionParameters,
): Promise<BrowserVersion | undefined> {
  const signature = await signatureOf(executablePath);
  if (signature === undefined) return ask(executablePath);
  const file = await path();
  const known = await readOwnJson(fs, file).catch(() => undefined);
  if (isAnswer(known) && known.program === executablePath && known.signature === signature) {
    const version = parsePrinted(known.text);
    if (version !== undefined) return version;
  }
  const version = await ask(executablePath);
  if (version !== undefined) await keep(fs, file, { program: executablePath, signature, text: version.text });
  return version;
}

// The browser is on the real disk, even when the profile uses an injected file system.
async function signatureOf(executablePath: string): Promise<string | undefined> {
  try {
    const { size, mtimeNs, ino } = await systemFileSystem.promises.stat(executablePath, { bigint: true });
    return `${size} ${mtimeNs} ${ino}`;
  } catch {
    return undefined;
  }
}

/** Without the file, the program is asked again at the next start. */
async function keep(fs: FileSystem, file: string, answer: Answer): Promise<void> {
  try {
    await makeFolders(fs, dirname(file));
    await writeOwnFile(fs, file, JSON.stringify(answer), { durable: false });
  } catch {
    // a disk that is full or does not let us write
  }
}

function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null) return false;
  const { program, signature, text } = value as Record<string, unknown>;
  return [program, signature, text].every((field) => typeof field === 'string');
}
