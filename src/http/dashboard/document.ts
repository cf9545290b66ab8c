import { BOOT_SCRIPT, STYLE } from './generated.js';
import type { Locale } from './locale.js';

export interface DocumentParts {
  readonly nonce: string;
  readonly locale: Locale;
  readonly title: string;
  /** Values for the script, written as `data-...` attributes of the body. */
  readonly data?: Readonly<Record<string, string>>;
  /** HTML in which every value was escaped by `escapeHtml`. */
  readonly body: string;
  readonly script: string;
}

/** A shield with a tick, as the page's icon. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#0b7a5b" d="M12 1 3 4.6v6.6c0 5.5 3.8 9.4 9 11.3 5.2-1.9 9-5.8 9-11.3V4.6z"/><path fill="none" stroke="#fff" stroke-width="2.2" d="m8 12 3 3 5-5.5"/></svg>',
)}`;

/** An HTML document that contains everything it needs. Scripts and styles have the nonce; no others are allowed. */
export function htmlDocument({ nonce, locale, title, data = {}, body, script }: DocumentParts): string {
  const mark = `nonce="${escapeHtml(nonce)}"`;
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  return `<!doctype html>
<html lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${ICON}">
<script ${mark}>${BOOT_SCRIPT}</script>
<style ${mark}>${STYLE}</style>
</head>
<body${attributes.join('')}>
${body}
<script ${mark}>${script}</script>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
