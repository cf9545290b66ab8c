import { applyTheme, initialTheme, remember, remembered, type Theme } from './preferences.js';

/** The script of the form that logs in to the dashboard, which also works without it. */
const asked = new URLSearchParams(location.search).has('lang');
const chosen = remembered('locale', ['ar', 'en']);
const links = document.querySelector<HTMLAnchorElement>('a[hreflang]');

// If another language was chosen before, load the form in it, but only a form that can be loaded by its address.
if (!asked && chosen !== undefined && chosen !== document.documentElement.lang && links && isPlainForm()) {
  location.replace(links.href);
}
links?.addEventListener('click', () => remember('locale', links.hreflang));

let theme: Theme = initialTheme();
const button = document.querySelector<HTMLButtonElement>('button[data-dark]');
showTheme();
button?.removeAttribute('hidden');
button?.addEventListener('click', () => {
  theme = theme === 'dark' ? 'light' : 'dark';
  remember('theme', theme);
  showTheme();
});

const form = document.querySelector('form');
form?.addEventListener('submit', () =>
  form.querySelector('[type=submit]')?.setAttribute('aria-busy', 'true'),
);
// After going back from the next page, the browser may show this page in the state in which it was left.
addEventListener('pageshow', () => form?.querySelector('[type=submit]')?.removeAttribute('aria-busy'));

function showTheme(): void {
  applyTheme(theme);
  const label = theme === 'dark' ? button?.dataset.light : button?.dataset.dark;
  if (label !== undefined) button?.setAttribute('aria-label', label);
}

/** Whether this is not the answer to a wrong token, which can't be loaded by its address. */
function isPlainForm(): boolean {
  return document.querySelector('[role=alert]') === null;
}
