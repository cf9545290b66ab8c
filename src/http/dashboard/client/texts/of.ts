import type { Locale } from '../../locale.js';
import { ar } from './ar.js';
import { en } from './en.js';
import type { Texts } from './texts.js';

const TEXTS: Readonly<Record<Locale, Texts>> = { ar, en };

export function textsOf(locale: Locale): Texts {
  return TEXTS[locale];
}
