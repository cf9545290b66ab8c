import type { DataVersion } from './data-version.js';

/**
 * The newest data version that Chromium reads, since which major version: measured with 131 to 156 (docs/profile.md). A
 * browser also reads older data versions.
 */
const OLDEST: DataVersion = { schema: 5, v8: 15, blink: 21 };
const READS: readonly { readonly since: number; readonly reads: DataVersion }[] = [
  { since: 131, reads: OLDEST },
  { since: 149, reads: { schema: 5, v8: 16, blink: 21 } },
];
/** Up to this version the table is complete; a later version may read more. */
const LAST_MEASURED = 156;

/**
 * Whether a browser reads a database instead of replacing it by an empty one; `undefined` if that is not known.
 *
 * @param browser major version of the browser
 * @param writer major version of the browser that used the database last, if known: data of a writer that is not newer than
 * `browser` can be read
 */
export function canRead(browser: number, data: DataVersion, writer: number | undefined): boolean | undefined {
  const known = READS.findLast(({ since }) => since <= browser);
  if (known === undefined) return isWithin(data, OLDEST) ? undefined : false;
  if (isWithin(data, known.reads)) return true;
  // The measured table is trusted more than the recorded writer, because the profile may have been used elsewhere since.
  if (browser <= LAST_MEASURED) return false;
  return writer === undefined ? undefined : writer <= browser;
}

/** The lowest data version that a browser of this major version writes, if known. */
export function dataVersionOf(browser: number): DataVersion | undefined {
  return READS.findLast(({ since }) => since <= browser)?.reads;
}

/** The first major version that is known to read the data; if none is known, the writer's version. */
export function firstReader(data: DataVersion, writer: number | undefined): number | undefined {
  return READS.find(({ reads }) => isWithin(data, reads))?.since ?? writer;
}

/** Whether Chromium keeps its databases in SQLite by default; `undefined` if that is not known. */
export function usesSqliteByItself(browser: number): boolean | undefined {
  return browser <= LAST_MEASURED ? false : undefined;
}

function isWithin(data: DataVersion, reads: DataVersion): boolean {
  return data.schema <= reads.schema && data.v8 <= reads.v8 && data.blink <= reads.blink;
}
