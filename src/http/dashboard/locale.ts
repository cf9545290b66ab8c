/** The languages of the library. */
export type Locale = 'en' | 'ar';

/** `?lang=` first, then what the browser prefers (Accept-Language, RFC 9110), else English. */
export function localeOf(request: Request): Locale {
  const asked = new URL(request.url).searchParams.get('lang');
  if (asked === 'ar' || asked === 'en') return asked;
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
