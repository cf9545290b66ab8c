import type { Locale } from '../locale.js';

export type Theme = 'light' | 'dark';

/** The prefix of stored choices. Nothing secret is stored, because every script of this origin could read it. */
const PREFIX = 'wwebjs-persistent-session.';

/** The choice that was stored before; `undefined` if there is none, or if the browser stores nothing. */
export function remembered<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
  try {
    const value = localStorage.getItem(PREFIX + name);
    return values.find((known) => known === value);
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // the choice lasts as long as the page
  }
}

/** The language in the address, or else the stored one, or else the one that the server took from the browser. */
export function initialLocale(): Locale {
  const { lang } = document.documentElement;
  const isAsked = new URLSearchParams(location.search).has('lang');
  const chosen = isAsked ? undefined : remembered<Locale>('locale', ['ar', 'en']);
  return chosen ?? (lang === 'ar' ? 'ar' : 'en');
}

export function initialTheme(): Theme {
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  return remembered<Theme>('theme', ['light', 'dark']) ?? system;
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

export function applyLocale(locale: Locale): void {
  document.documentElement.lang = locale;
  document.documentElement.dir = locale === 'ar' ? 'rtl' : 'ltr';
}

/** Removes the language from the address, because at the next load it would override the switch. */
export function forgetAskedLocale(): void {
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(null, '', url);
}
