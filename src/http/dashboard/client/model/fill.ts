import type { Plural } from '../texts/texts.js';

export type Values = Readonly<Record<string, string | number>>;

const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';
/** Embeddings, overrides and isolates, which could change the direction of the text around them. Marks can't. */
const DIRECTION_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Replaces the placeholders of a text with values: `fill('Saved, {size}', { size })`. Each value keeps its own
 * direction, so that a path or an id stays readable in an Arabic sentence.
 */
export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? place : isolate(String(value));
  });
}

/** The plural form for `n`, with `{n}` and further values filled in. */
export function fillPlural(
  forms: Plural,
  { rules, n, shown }: { readonly rules: Intl.PluralRules; readonly n: number; readonly shown: string },
  values: Values = {},
): string {
  return fill(forms[rules.select(n)] ?? forms.other, { n: shown, ...values });
}

function isolate(value: string): string {
  return `${FIRST_STRONG_ISOLATE}${plain(value)}${POP_ISOLATE}`;
}

/** A text from elsewhere without the characters that change the direction of other text. */
export function plain(text: string): string {
  return text.replace(DIRECTION_CONTROLS, '');
}
