/**
 * Formats numbers and paths for the two languages of a report. Both use Latin digits, because the numbers stand
 * beside paths.
 */
type Language = 'en' | 'ar';

const LOCALES: Readonly<Record<Language, string>> = { en: 'en', ar: 'ar-u-nu-latn' };
const BYTES_PER_MB = 1024 * 1024;

/** `12 MB`. */
export function megabytes(bytes: number, language: Language): string {
  return inUnit(Math.round(bytes / BYTES_PER_MB), 'megabyte', 'short', language);
}

/** `3 minutes`: uses the largest unit that gives at least two. */
export function duration(ms: number, language: Language): string {
  const [unit, unitMs] = UNITS.find(([, size]) => ms >= 2 * size) ?? ['second', 1000];
  return inUnit(Math.round(ms / unitMs), unit, 'long', language);
}

export function percent(share: number, language: Language): string {
  return new Intl.NumberFormat(LOCALES[language], { style: 'percent', maximumFractionDigits: 0 }).format(
    share,
  );
}

/** A path or a name inside an Arabic sentence, kept left to right by Unicode's isolates. */
export function isolated(text: string): string {
  return `\u2066${text}\u2069`;
}

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function inUnit(value: number, unit: string, unitDisplay: 'short' | 'long', language: Language): string {
  return new Intl.NumberFormat(LOCALES[language], { style: 'unit', unit, unitDisplay }).format(value);
}
