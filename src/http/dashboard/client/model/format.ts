import type { Locale } from '../../locale.js';
import type { Plural } from '../texts/texts.js';
import { fillPlural, type Values } from './fill.js';

/** Numbers, sizes and times in words of one language. */
export interface Format {
  number(n: number): string;
  /** A size; one MB is 1024 x 1024 bytes, as everywhere in this library. */
  bytes(n: number): string;
  megabytes(mb: number): string;
  /** How long something takes or took: `2 minutes`; in Arabic in the form that follows a preposition. */
  duration(ms: number): string;
  milliseconds(ms: number): string;
  /** How long ago: `2 minutes ago`. A time in the future is `now`, because two clocks never agree exactly. */
  age(ms: number): string;
  /** An ISO 8601 time as a date and a time of day; any other text stays as it is. */
  time(iso: string): string;
  timeOfDay(ms: number): string;
  plural(forms: Plural, n: number, values?: Values): string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const KB = 1024;
const MB = KB * KB;
const GB = MB * KB;

const NOMINATIVE_DUAL = /ان$/;

/** A shorter age is shown as `now`. */
const JUST_NOW_MS = 5 * SECOND;

export function formatOf(locale: Locale): Format {
  // Both languages use Western digits, which everybody understands and which ids, versions and phone numbers have
  // anyway.
  const tag = locale === 'ar' ? 'ar-u-nu-latn' : 'en';
  // English uses short units; Arabic does not, because its short forms are hardly known.
  const unitDisplay = locale === 'ar' ? 'long' : 'short';
  const numbers = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
  const rules = new Intl.PluralRules(tag);
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  const times = new Intl.DateTimeFormat(tag, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
  });
  const timesOfDay = new Intl.DateTimeFormat(tag, { timeStyle: 'medium' });
  const unit = (n: number, name: string, display: 'long' | 'short' = unitDisplay, digits = 1): string =>
    new Intl.NumberFormat(tag, {
      style: 'unit',
      unit: name,
      unitDisplay: display,
      maximumFractionDigits: digits,
    }).format(n);

  const format: Format = {
    number: (n) => numbers.format(n),
    bytes(n) {
      if (n < KB) return unit(n, 'byte', 'long', 0);
      if (n < MB) return unit(n / KB, 'kilobyte');
      return n < GB ? unit(n / MB, 'megabyte') : unit(n / GB, 'gigabyte');
    },
    megabytes: (mb) => format.bytes(mb * MB),
    duration(ms) {
      const [amount, name] = largestUnit(Math.max(0, ms));
      const words = unit(amount, name, 'long', 0);
      // Every text uses it after «منذ», «بعد» or «خلال», but Intl only has the nominative.
      return locale === 'ar' && amount === 2 ? words.replace(NOMINATIVE_DUAL, 'ين') : words;
    },
    milliseconds: (ms) =>
      ms < SECOND ? unit(Math.round(ms), 'millisecond', unitDisplay, 0) : unit(ms / SECOND, 'second'),
    age(ms) {
      if (ms < JUST_NOW_MS) return relative.format(0, 'second');
      const [amount, name] = largestUnit(ms);
      return relative.format(-amount, name);
    },
    time(iso) {
      const ms = Date.parse(iso);
      return Number.isNaN(ms) ? iso : times.format(ms);
    },
    timeOfDay: (ms) => timesOfDay.format(ms),
    plural: (forms, n, values) => fillPlural(forms, { rules, n, shown: numbers.format(n) }, values),
  };
  return format;
}

/** Less than two days is shown in hours (`47 hours`); from then on the hours don't matter. */
function largestUnit(ms: number): [number, 'second' | 'minute' | 'hour' | 'day'] {
  if (ms < MINUTE) return [Math.floor(ms / SECOND), 'second'];
  if (ms < HOUR) return [Math.floor(ms / MINUTE), 'minute'];
  if (ms < 2 * DAY) return [Math.floor(ms / HOUR), 'hour'];
  return [Math.floor(ms / DAY), 'day'];
}
