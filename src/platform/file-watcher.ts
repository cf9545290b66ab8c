import { basename, relative, sep } from 'node:path';
import type { Environment } from './detect-platform.js';

/** What starts the bot again when a file in its folder changes, and what is known of its settings. */
export interface FileWatcher {
  readonly name: 'nodemon' | 'pm2';
  /** Its settings as one text: arguments, variables, files. */
  readonly settings: string;
}

/** What tells of a file watcher. */
export interface WatcherFacts {
  readonly env: Environment;
  /** The command line of our parent process, when it is known. */
  readonly parentCommand: string | undefined;
  /** The texts of nodemon's settings in the bot's folder: `nodemon.json`, and `nodemonConfig` of `package.json`. */
  readonly nodemonSettings: string;
}

/**
 * Recognises nodemon by its command, which is our parent or the script of `npm run`, and pm2's `--watch` by the variable
 * that pm2 passes on; what pm2 ignores it does not pass on. One that watches only certain folders is the user's affair.
 */
export function detectFileWatcher(facts: WatcherFacts): FileWatcher | undefined {
  const { env, parentCommand = '', nodemonSettings } = facts;
  if (env.pm_id !== undefined && env.watch === 'true') {
    return { name: 'pm2', settings: '' };
  }
  const commands = [parentCommand, env.npm_lifecycle_script ?? ''].filter((one) => /\bnodemon\b/.test(one));
  if (commands.length === 0) return undefined;
  const settings = [...commands, nodemonSettings].join('\n');
  const watchesSome = /(^|\s)(-w|--watch)[\s=]|"watch"\s*:/.test(settings);
  return watchesSome ? undefined : { name: 'nodemon', settings };
}

/**
 * The folders of `paths` whose changes start the bot again: those below `folder` that are neither hidden, which both
 * watchers leave alone by default, nor named in the settings.
 *
 * @param folder the bot's folder, absolute
 */
export function watchedFolders(
  { settings }: FileWatcher,
  paths: readonly string[],
  folder: string,
): readonly string[] {
  return paths.filter((path) => {
    const parts = relative(folder, path).split(sep);
    const isBelow = parts[0] !== '..' && parts[0] !== '';
    const isHidden = parts.some((part) => part.startsWith('.') || part === 'node_modules');
    return isBelow && !isHidden && !settings.includes(basename(path));
  });
}

/** How this watcher is told to leave a folder alone. */
export function howToIgnore({ name }: FileWatcher, folders: readonly string[]): string {
  const names = folders.map((path) => basename(path));
  return name === 'pm2'
    ? `--ignore-watch="node_modules ${names.join(' ')}"`
    : names.map((one) => `--ignore ${one}/`).join(' ');
}
