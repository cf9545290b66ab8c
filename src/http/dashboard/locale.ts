/** The languages of the library. */
export type Locale = 'en' | 'ar';

/** The language in `?lang=`, if it is a language of the library. */
function askedLocale(request: Request): Locale | undefined {
  const asked = new URL(request.url).searchParams.get('lang');
  return asked === 'ar' || asked === 'en' ? asked : undefined;
}

/** `?lang=ar` (or `en`) if the request has it, otherwise nothing; appended to an address to keep the language. */
export function localeQuery(request: Request): string {
  const asked = askedLocale(request);
  return asked === undefined ? '' : `?lang=${asked}`;
}

/** `?lang=` first, then what the browser prefers (Accept-Language, RFC 9110), else English. */
export function localeOf(request: Request): Locale {
  const asked = askedLocale(request);
  if (asked !== undefined) return asked;
  const preferred = (request.headers.get('accept-language') ?? '')
    .slice(0, 500)
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.trim().toLowerCase().split(';');
      const quality = parameters.map((text) => /^\s*q=([\d.]+)$/.exec(text)?.[1]).find(Boolean);
      return { language: tag.split('-')[0], quality: Number(quality ?? '1') };
    })
    .filter(({ language, quality }) => (language === 'ar' || language === 'en') && quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return preferred[0]?.language === 'ar' ? 'ar' : 'en';
}
