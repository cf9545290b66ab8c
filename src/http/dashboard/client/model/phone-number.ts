/** Arabic-Indic and Persian digits: the keyboard of the reader may write them. */
const EASTERN_DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/g;
const IGNORED = /[+\s\-().\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The digits of an international number; `undefined` where it is none (7 to 15 digits, E.164). */
export function phoneDigits(typed: string): string | undefined {
  const digits = typed
    .replace(EASTERN_DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(IGNORED, '');
  return /^\d{7,15}$/.test(digits) ? digits : undefined;
}
