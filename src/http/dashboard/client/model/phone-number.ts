/** Arabic-Indic and Persian digits: the keyboard of the reader may write them. */
const EASTERN_DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/g;
const IGNORED = /[+\s\-().\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** What stands for the `+` when a call goes abroad. */
const DIAL_OUT = /^00/;

/**
 * The digits of an international number; `undefined` where it is none: E.164, 7 to 15 digits, and no country code begins
 * with a 0. The same rule as the bot's.
 */
export function phoneDigits(typed: string): string | undefined {
  const digits = typed
    .replace(EASTERN_DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(IGNORED, '')
    .replace(DIAL_OUT, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined;
}
