import type { Locale } from './locale.js';

/** What the dashboard is drawn with. All addresses are relative to the page's own, so that any mount works. */
export interface PageContext {
  /** For every `<script>` and `<style>`: nothing else runs. */
  readonly nonce: string;
  readonly locale: Locale;
  /** For example `api/whatsapp/persistent-session`. */
  readonly apiUrl: string;
  /** `POST` here ends the login; absent where the login is not the dashboard's. */
  readonly logoutUrl?: string;
  /** Whether backups may be downloaded. */
  readonly allowDownload: boolean;
}

/** The dashboard as one HTML document, without any foreign resource. */
export function dashboardPage({ locale, apiUrl }: PageContext): string {
  return `<!doctype html>
<html lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}">
<meta charset="utf-8">
<title>wwebjs-persistent-session</title>
<p><a href="${apiUrl}">${apiUrl}</a></p>
</html>
`;
}
