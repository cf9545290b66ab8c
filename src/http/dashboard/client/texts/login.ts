import type { Locale } from '../../locale.js';

/** The texts of the login form, which the server draws. */
export interface LoginTexts {
  readonly title: string;
  readonly intro: string;
  readonly token: string;
  readonly tokenHint: string;
  readonly logIn: string;
  readonly otherLanguage: string;
  readonly elsewhere: string;
  readonly 'wrong-token': string;
  readonly 'too-many': string;
  readonly dark: string;
  readonly light: string;
}

export const LOGIN_TEXTS: Readonly<Record<Locale, LoginTexts>> = {
  en: {
    title: 'WhatsApp session',
    intro: 'See how the session of the bot is, and control it.',
    token: 'Access token',
    tokenHint: 'Whoever set up the bot has it. It is not your WhatsApp password.',
    logIn: 'Log in',
    otherLanguage: 'العربية',
    elsewhere: 'Log in to the application first, then open this page again.',
    'wrong-token': 'This is not the right token. Check that it is complete and try again.',
    'too-many': 'Too many attempts. Wait a minute and try again.',
    dark: 'Dark colours',
    light: 'Light colours',
  },
  ar: {
    title: 'جلسة واتساب',
    intro: 'تابع حالة جلسة البوت وتحكّم فيها.',
    token: 'رمز الدخول',
    tokenHint: 'تجده عند من أعدّ البوت، وليس كلمة مرور واتساب.',
    logIn: 'دخول',
    otherLanguage: 'English',
    elsewhere: 'سجّل الدخول إلى التطبيق أولًا، ثم افتح هذه الصفحة من جديد.',
    'wrong-token': 'رمز الدخول غير صحيح. تأكد من أنه كامل وأعد المحاولة.',
    'too-many': 'محاولات كثيرة. انتظر دقيقة ثم أعد المحاولة.',
    dark: 'الوضع الداكن',
    light: 'الوضع الفاتح',
  },
};
