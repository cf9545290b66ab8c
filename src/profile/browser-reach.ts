import type { DataVersion } from './data-version.js';

/**
 * What Chromium reads, by the major version from which on it does: measured with 131 to 156 (docs/profile.md). A browser
 * reads the data versions that came before its own, too.
 */
const OLDEST: DataVersion = { schema: 5, v8: 15, blink: 21 };
const READS: readonly { readonly since: number; readonly reads: DataVersion }[] = [
  { since: 131, reads: OLDEST },
  { since: 149, reads: { schema: 5, v8: 16, blink: 21 } },
];
/** Up to this version the table says all; a later one may read more. */
const LAST_MEASURED = 156;

/**
 * Whether a browser reads a database without starting it anew; `undefined` where that is not known.
 *
 * @param browser major version of the browser
 * @param writer major version of the browser that has had the database last, where it is known: one that is no newer than
 * `browser` has left nothing that this one does not read
 */
export function canRead(browser: number, data: DataVersion, writer: number | undefined): boolean | undefined {
  const known = READS.findLast(({ since }) => since <= browser);
  if (known === undefined) return isWithin(data, OLDEST) ? undefined : false;
  if (isWithin(data, known.reads)) return true;
  // What was measured counts more than what is said of the writer: the profile may have been elsewhere meanwhile.
  if (browser <= LAST_MEASURED) return false;
  return writer === undefined ? undefined : writer <= browser;
}

/** The least data version that a browser of this major version leaves behind, as far as it is known. */
export function dataVersionOf(browser: number): DataVersion | undefined {
  return READS.findLast(({ since }) => since <= browser)?.reads;
}

/** The first major version that is known to read it; else that of the writer. */
export function firstReader(data: DataVersion, writer: number | undefined): number | undefined {
  return READS.find(({ reads }) => isWithin(data, reads))?.since ?? writer;
}

/** Whether Chromium keeps its databases in SQLite without being told to; `undefined` where that is not known. */
export function usesSqliteByItself(browser: number): boolean | undefined {
  return browser <= LAST_MEASURED ? false : undefined;
}

function isWithin(data: DataVersion, reads: DataVersion): boolean {
  return data.schema <= reads.schema && data.v8 <= reads.v8 && data.blink <= reads.blink;
}
