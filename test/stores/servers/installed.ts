import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian lays the servers of Postgres, which are not on the PATH. */
const POSTGRES_FOLDERS = ['17', '16', '15', '14', '13'].map(
  (version) => `/usr/lib/postgresql/${version}/bin`,
);

/** The path of a server's program; `undefined` where it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...POSTGRES_FOLDERS, '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Whether the tests of a server can run here. In CI they must: a missing program is an error there, and a loud line
 * everywhere else.
 */
export function hasPrograms(server: string, names: readonly string[]): boolean {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return true;
  const message = `the tests of ${server} need ${missing.join(', ')}: run npm run test:stores as root, or install it`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(`\n!!! SKIPPED: ${message}\n`);
  return false;
}
