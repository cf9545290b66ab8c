import type { Locale } from './locale.js';

/** Why the form is shown again. */
export type LoginProblem = 'wrong-token' | 'too-many';

export interface LoginPageContext {
  /** For every `<style>`. */
  readonly nonce: string;
  readonly locale: Locale;
  /** Where the form goes; absent where the login is not the dashboard's. */
  readonly loginUrl?: string;
  readonly problem?: LoginProblem;
}

const WORDS = {
  en: {
    title: 'WhatsApp session',
    token: 'Access token',
    submit: 'Log in',
    elsewhere: 'Log in to the application first.',
    'wrong-token': 'This is not the token.',
    'too-many': 'Too many attempts. Wait a minute.',
  },
  ar: {
    title: 'جلسة واتساب',
    token: 'رمز الدخول',
    submit: 'دخول',
    elsewhere: 'سجّل الدخول إلى التطبيق أولًا.',
    'wrong-token': 'رمز الدخول غير صحيح.',
    'too-many': 'محاولات كثيرة. انتظر دقيقة.',
  },
} as const;

/** The login form as one HTML document; works without a script. */
export function loginPage({ nonce, locale, loginUrl, problem }: LoginPageContext): string {
  const words = WORDS[locale];
  const notice = problem ? `<p role="alert">${words[problem]}</p>` : '';
  const form = loginUrl
    ? `<form method="post" action="${loginUrl}">
<label for="token">${words.token}</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus dir="ltr">
<button>${words.submit}</button>
</form>`
    : `<p>${words.elsewhere}</p>`;
  return `<!doctype html>
<html lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words.title}</title>
<style nonce="${nonce}">
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 22rem; margin: 15vh auto; padding: 0 1rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; margin-top: 0.5rem; }
input, button { font: inherit; padding: 0.5rem; }
[role="alert"] { color: #b00020; }
</style>
</head>
<body>
<main>
<h1>${words.title}</h1>
${notice}
${form}
</main>
</body>
</html>
`;
}
