import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';

const run = promisify(execFile);
const INSTALL_DEADLINE_MS = 240_000;

/**
 * The Chromium in this version of npm's `@sparticuz/chromium`. npm fetches it once into the folder for temporary files,
 * because its 70 MB are too much for every `npm ci`.
 *
 * @returns its path; `undefined` on systems other than Linux on x64, and if the download fails, which is reported. In
 * CI a failed download rejects instead
 */
export async function chromiumOf(version: string): Promise<string | undefined> {
  const folder = join(tmpdir(), `wwebjs-chromium-${version}`);
  const path = join(folder, 'chromium');
  if (await exists(path)) return path;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return skip(version, `there is none for ${process.platform} on ${process.arch}`);
  }
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    const call = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `@sparticuz/chromium@${version}`];
    await run('npm', call, { cwd: folder, timeout: INSTALL_DEADLINE_MS });
    await unpack(join(folder, 'node_modules/@sparticuz/chromium/bin'), folder);
    await rm(join(folder, 'node_modules'), { recursive: true });
    return path;
  } catch (error) {
    return skip(version, String(error));
  }
}

async function unpack(from: string, to: string): Promise<void> {
  const libraries = join(to, 'swiftshader.tar');
  await decompress(join(from, 'swiftshader.tar.br'), libraries);
  await run('tar', ['xf', libraries, '-C', to]);
  await rm(libraries);
  // Gets its final name only when it is complete, because another run may look for it.
  const part = join(to, `chromium.${process.pid}`);
  await decompress(join(from, 'chromium.br'), part);
  await chmod(part, 0o755);
  await rename(part, join(to, 'chromium'));
}

function decompress(from: string, to: string): Promise<void> {
  return pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
}

function skip(version: string, why: string): undefined {
  const message = `Chromium ${version} could not be had, so nothing was tested with it: ${why}`;
  if (process.env.CI) throw new Error(message);
  console.warn(`\n  SKIPPED: ${message}\n`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
