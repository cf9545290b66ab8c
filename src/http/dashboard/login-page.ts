import { LOGIN_TEXTS, type LoginTexts } from './client/texts/login.js';
import { escapeHtml, htmlDocument } from './document.js';
import { LOGIN_SCRIPT } from './generated.js';
import type { Locale } from './locale.js';

/** Why the form is shown again. */
export type LoginProblem = 'wrong-token' | 'too-many';

/** The values of the login form. Addresses are relative to the page's own address. */
export interface LoginPageContext {
  /** The nonce of every `<script>` and `<style>`. */
  readonly nonce: string;
  readonly locale: Locale;
  /** Where the form is sent, with the requested `?lang=`; absent where the dashboard has no login of its own. */
  readonly loginUrl?: string;
  /** The address of the dashboard, to which the language switch links. */
  readonly dashboardUrl: string;
  readonly problem?: LoginProblem;
}

/** The login form as one HTML document, which works without a script. */
export function loginPage({ nonce, locale, loginUrl, dashboardUrl, problem }: LoginPageContext): string {
  const texts = LOGIN_TEXTS[locale];
  const other = locale === 'ar' ? 'en' : 'ar';
  return htmlDocument({
    nonce,
    locale,
    title: `${texts.title} – wwebjs-persistent-session`,
    body: `<main class="login">
<div class="login-tools">
<a class="button quiet" href="${escapeHtml(dashboardUrl)}?lang=${other}" lang="${other}" hreflang="${other}">${texts.otherLanguage}</a>
<button type="button" class="button quiet square" hidden data-dark="${texts.dark}" data-light="${texts.light}">${HALF_MOON}</button>
</div>
<div class="card">
<h1>${texts.title}</h1>
<p class="muted">${texts.intro}</p>
${problem === undefined ? '' : `<p class="caution critical" role="alert">${texts[problem]}</p>`}
${loginUrl === undefined ? `<p class="caution">${texts.elsewhere}</p>` : form(texts, loginUrl)}
</div>
<p class="muted login-foot"><bdi dir="ltr">wwebjs-persistent-session</bdi></p>
</main>`,
    script: LOGIN_SCRIPT,
  });
}

function form(texts: LoginTexts, action: string): string {
  return `<form class="form" method="post" action="${escapeHtml(action)}">
<label for="token">${texts.token}</label>
<input id="token" name="token" type="password" dir="ltr" required maxlength="512" autocomplete="current-password" autocapitalize="off" spellcheck="false" aria-describedby="token-hint" autofocus>
<p class="muted" id="token-hint">${texts.tokenHint}</p>
<button type="submit" class="button primary"><span class="spinner" aria-hidden="true"></span><span class="button-text">${texts.logIn}</span></button>
</form>`;
}

const HALF_MOON =
  '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M12 3a9 9 0 1 0 0 18z" fill="currentColor"/><circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="1.8"/></svg>';
