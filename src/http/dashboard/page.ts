import { htmlDocument } from './document.js';
import { DASHBOARD_SCRIPT } from './generated.js';
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

/** The dashboard as one HTML document, without any foreign resource. Its script draws it. */
export function dashboardPage({ nonce, locale, apiUrl, logoutUrl, allowDownload }: PageContext): string {
  return htmlDocument({
    nonce,
    locale,
    title: 'wwebjs-persistent-session',
    data: {
      'api-url': apiUrl,
      ...(logoutUrl !== undefined && { 'logout-url': logoutUrl }),
      'allow-download': String(allowDownload),
    },
    body: `<noscript>
<p lang="en" dir="ltr">This page needs JavaScript. The API works without it.</p>
<p lang="ar" dir="rtl">تحتاج هذه الصفحة إلى JavaScript. الواجهة البرمجية تعمل بدونه.</p>
</noscript>`,
    script: DASHBOARD_SCRIPT,
  });
}
