import { describe, expect, it } from 'vitest';
import { LOGIN_TEXTS } from '../../../src/http/dashboard/client/texts/login.js';
import { textsOf } from '../../../src/http/dashboard/client/texts/of.js';

const LOCALES = ['en', 'ar'] as const;
const RULES = { en: ['one', 'other'], ar: ['zero', 'one', 'two', 'few', 'many', 'other'] };

describe("the dashboard's texts", () => {
  it('say the same things in both languages', () => {
    expect(namesOf(textsOf('ar'))).toEqual(namesOf(textsOf('en')));
    expect(Object.keys(LOGIN_TEXTS.ar).sort()).toEqual(Object.keys(LOGIN_TEXTS.en).sort());
  });

  it.each(LOCALES)('leave nothing empty in %s', (locale) => {
    const empty = [...leavesOf(textsOf(locale)), ...leavesOf(LOGIN_TEXTS[locale])].filter(
      ([, text]) => text.trim() === '',
    );
    expect(empty).toEqual([]);
  });

  it('name the same places for values in both languages', () => {
    const english = new Map(leavesOf(textsOf('en')));
    const different = leavesOf(textsOf('ar')).filter(([path, text]) => {
      const other = english.get(path);
      return other !== undefined && !isPlural(path) && placesOf(text) !== placesOf(other);
    });
    expect(different).toEqual([]);
  });

  it.each(LOCALES)('have every plural of %s', (locale) => {
    const plurals = pluralsOf(textsOf(locale));
    expect(plurals.length).toBeGreaterThan(5);
    for (const [path, forms] of plurals) {
      expect(Object.keys(forms).sort(), path).toEqual([...RULES[locale]].sort());
    }
    expect(new Intl.PluralRules(locale).resolvedOptions().pluralCategories.toSorted()).toEqual(
      RULES[locale].toSorted(),
    );
  });

  it('are Arabic in Arabic, but for names', () => {
    const foreign = leavesOf(textsOf('ar')).filter(([, text]) => !/[\u0600-\u06ff]/.test(text));
    // The switch names the other language in its own letters; a value alone has no words.
    expect(foreign).toEqual([
      ['otherLanguage', 'English'],
      ['issues.button', '«{action}»'],
      ['details.browserMemoryOf.zero', '{size}'],
    ]);
  });
});

function leavesOf(value: unknown, path = ''): (readonly [string, string])[] {
  if (typeof value === 'string') return [[path, value]];
  return Object.entries(value as object).flatMap(([name, inner]) =>
    leavesOf(inner, path === '' ? name : `${path}.${name}`),
  );
}

/** Without the forms of a plural, of which Arabic has more. */
function namesOf(value: unknown): readonly string[] {
  return [
    ...new Set(leavesOf(value).map(([path]) => path.replace(/\.(zero|one|two|few|many|other)$/, '.#'))),
  ].sort();
}

function isPlural(path: string): boolean {
  return /\.(zero|one|two|few|many|other)$/.test(path);
}

function placesOf(text: string): string {
  return [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
}

function pluralsOf(value: unknown, path = ''): (readonly [string, object])[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('other' in value && 'one' in value) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => pluralsOf(inner, `${path}.${name}`));
}
