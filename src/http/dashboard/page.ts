import { htmlDocument } from './document.js';
import { DASHBOARD_SCRIPT } from './generated.js';
import type { Locale } from './locale.js';

/** The values of the dashboard page. Addresses are relative to the page's own address, so that any mount path works. */
export interface PageContext {
  /** The nonce of every `<script>` and `<style>`; no others are allowed. */
  readonly nonce: string;
  readonly locale: Locale;
  /** For example `api/whatsapp/persistent-session`. */
  readonly apiUrl: string;
  /** `POST` to this address ends the login; absent where the dashboard has no login of its own. */
  readonly logoutUrl?: string;
  /** Whether backups may be downloaded. */
  readonly allowDownload: boolean;
}

/** The dashboard as one HTML document without external resources. Its script draws the page. */
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
