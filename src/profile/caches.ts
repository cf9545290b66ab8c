import type { FileSystem } from '../file-system.js';
import { defineTask } from '../task.js';
import { isEssential } from './essential-files.js';
import { resolveLinks } from './links.js';
import { exists, lstatIfPresent, readFolder, unlessDenied, walkFiles } from './walk.js';

/** Caches that Chromium fills again by itself; paths relative to the user-data-dir. */
export const ROOT_CACHES: readonly string[] = [
  'BrowserMetrics',
  'BrowserMetrics-spare.pma',
  'Crashpad',
  'Crash Reports',
  'DawnCache',
  'DawnGraphiteCache',
  'DawnWebGPUCache',
  'DeferredBrowserMetrics',
  'GPUCache',
  'GPUPersistentCache',
  'GrShaderCache',
  'GraphiteDawnCache',
  'ShaderCache',
  'Subresource Filter',
  'component_crx_cache',
  'extensions_crx_cache',
  'hyphen-data',
  'optimization_guide_model_store',
  'segmentation_platform',
];

/** Caches that Chromium fills again by itself; paths relative to a profile folder such as `Default`. */
export const PROFILE_CACHES: readonly string[] = [
  'AutofillAiModelCache',
  'Cache',
  'Code Cache',
  'DawnCache',
  'DawnGraphiteCache',
  'DawnWebGPUCache',
  'GPUCache',
  'GrShaderCache',
  'Media Cache',
  'Service Worker/CacheStorage',
  'Service Worker/ScriptCache',
  'ShaderCache',
  'optimization_guide_hint_cache_store',
];

/** Names of the files `BrowserMetrics-<id>.pma`: each start makes one, and a killed browser leaves it behind. */
const ROOT_CACHE_NAMES = /^BrowserMetrics.*\.pma$/;
const MAX_FILES = 200_000;

/** A folder that may not be read is ignored: it is neither a cache nor part of the login. */
const ignore = () => undefined;

export interface FreedFiles {
  readonly freedBytes: number;
  readonly files: number;
}

/**
 * Deletes Chromium's caches. Call this only while no browser uses the profile. Never deletes an essential file, cookies or
 * settings. When `signal` aborts, the remaining files stay.
 */
export async function pruneCaches(
  profileDir: string,
  options: { readonly fs: FileSystem; readonly signal?: AbortSignal },
): Promise<FreedFiles> {
  const { fs, signal } = options;
  let freedBytes = 0;
  let files = 0;
  for (const path of await cachePaths(fs, profileDir)) {
    for await (const file of walkFiles(fs, profileDir, path, ignore)) {
      if (signal?.aborted === true) return { freedBytes, files };
      if (isEssential(file.path) || !(await removed(fs, `${profileDir}/${file.path}`))) continue;
      freedBytes += file.size;
      files++;
    }
    await removeEmptyFolders(fs, `${profileDir}/${path}`);
  }
  return { freedBytes, files };
}

export interface ProfileSize {
  readonly totalBytes: number;
  readonly essentialBytes: number;
  readonly files: number;
  /** When an essential file was last written, ms since 1970; 0 if there is none. */
  readonly essentialModifiedMs: number;
  /** Whether the walk stopped at its limit, so that the numbers are lower bounds. */
  readonly truncated: boolean;
}

/** Measures a profile's size; looks at 200 000 files at most. A missing profile has size 0. */
export async function profileSize(
  profileDir: string,
  options: { readonly fs: FileSystem },
): Promise<ProfileSize> {
  let totalBytes = 0;
  let essentialBytes = 0;
  let essentialModifiedMs = 0;
  let files = 0;
  const size = (truncated: boolean) => ({
    totalBytes,
    essentialBytes,
    files,
    essentialModifiedMs,
    truncated,
  });
  const root = await resolveLinks(options.fs, profileDir); // a walk follows no link, not even at its root
  for await (const file of walkFiles(options.fs, root, '', ignore)) {
    if (files === MAX_FILES) return size(true);
    totalBytes += file.size;
    files++;
    if (!isEssential(file.path)) continue;
    essentialBytes += file.size;
    essentialModifiedMs = Math.max(essentialModifiedMs, file.modifiedMs);
  }
  return size(false);
}

/** Runs {@link profileSize} in the worker thread. */
export const profileSizeTask = defineTask<{ readonly profileDir: string }, ProfileSize>(
  'profile:size',
  ({ profileDir }, { fs }) => profileSize(profileDir, { fs }),
);

async function cachePaths(fs: FileSystem, profileDir: string): Promise<string[]> {
  const paths = [...ROOT_CACHES];
  for (const { name } of await readFolder(fs, profileDir)) {
    if (ROOT_CACHE_NAMES.test(name) && !paths.includes(name)) paths.push(name);
    const isProfile = await unlessDenied(exists(fs, `${profileDir}/${name}/Preferences`));
    if (name === 'Default' || isProfile) paths.push(...PROFILE_CACHES.map((cache) => `${name}/${cache}`));
  }
  return paths;
}

/** Removes a file. A cache file that another program has open (Windows) stays. */
async function removed(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.promises.unlink(path);
    return true;
  } catch {
    return false;
  }
}

async function removeEmptyFolders(fs: FileSystem, path: string): Promise<void> {
  // Symbolic links are not followed, because some users move the cache to another disk by a link.
  if ((await lstatIfPresent(fs, path))?.isDirectory() !== true) return;
  for (const { name } of (await unlessDenied(readFolder(fs, path))) ?? [])
    await removeEmptyFolders(fs, `${path}/${name}`);
  // Fails if the folder is not empty; then it stays.
  await fs.promises.rmdir(path).catch(() => undefined);
}
