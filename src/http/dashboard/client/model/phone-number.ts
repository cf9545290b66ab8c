/** Arabic-Indic and Persian digits, which the reader's keyboard may produce. */
const EASTERN_DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/g;
const IGNORED = /[+\s\-().\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The prefix that replaces `+` in international calls. */
const DIAL_OUT = /^00/;

/**
 * The digits of an international phone number, by the same rule as the bot's: E.164, 7 to 15 digits, and no country
 * code begins with a 0. `undefined` for any other text.
 */
export function phoneDigits(typed: string): string | undefined {
  const digits = typed
    .replace(EASTERN_DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(IGNORED, '')
    .replace(DIAL_OUT, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined;
}
