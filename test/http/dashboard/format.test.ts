import { describe, expect, it } from 'vitest';
import { fill, plain } from '../../../src/http/dashboard/client/model/fill.js';
import { formatOf } from '../../../src/http/dashboard/client/model/format.js';
import { historyLine } from '../../../src/http/dashboard/client/model/history-line.js';
import { phoneDigits } from '../../../src/http/dashboard/client/model/phone-number.js';
import { textsOf } from '../../../src/http/dashboard/client/texts/of.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MB = 1024 * 1024;
const en = formatOf('en');
const ar = formatOf('ar');

describe('ages', () => {
  it.each([
    [-90_000, 'now', 'الآن'],
    [0, 'now', 'الآن'],
    [30_000, '30 seconds ago', 'قبل 30 ثانية'],
    [2 * MINUTE, '2 minutes ago', 'قبل دقيقتين'],
    [3 * MINUTE + 59_000, '3 minutes ago', 'قبل 3 دقائق'],
    [47 * HOUR, '47 hours ago', 'قبل 47 ساعة'],
    [72 * HOUR, '3 days ago', 'قبل 3 أيام'],
  ])('of %i ms are "%s" and "%s"', (ms, english, arabic) => {
    expect(en.age(ms)).toBe(english);
    expect(ar.age(ms)).toBe(arabic);
  });
});

describe('sizes', () => {
  it.each([
    [0, '0 bytes', '0 بايت'],
    [1536, '1.5 kB', '1.5 كيلوبايت'],
    [12.34 * MB, '12.3 MB', '12.3 ميغابايت'],
    [3 * 1024 * MB, '3 GB', '3 غيغابايت'],
  ])('of %i bytes are "%s" and "%s"', (bytes, english, arabic) => {
    expect(en.bytes(bytes)).toBe(english);
    expect(ar.bytes(bytes)).toBe(arabic);
  });

  it('in MB are the same', () => {
    expect(en.megabytes(12.34)).toBe(en.bytes(12.34 * MB));
  });
});

describe('durations and times', () => {
  it('have Arabic plurals, as they stand after a preposition', () => {
    expect([1, 2, 3, 11].map((minutes) => ar.duration(minutes * MINUTE))).toEqual([
      'دقيقة',
      'دقيقتين',
      '3 دقائق',
      '11 دقيقة',
    ]);
    expect([2000, 2 * HOUR, 48 * HOUR].map((ms) => ar.duration(ms))).toEqual(['ثانيتين', 'ساعتين', 'يومين']);
    // Alone it is a subject.
    expect(ar.milliseconds(2000)).toBe('ثانيتان');
    expect(en.duration(-5)).toBe('0 seconds');
  });

  it('leave what is no time as it is', () => {
    expect(en.time('yesterday')).toBe('yesterday');
  });
});

describe('plurals', () => {
  it('take the form of their language', () => {
    const { count } = textsOf('ar').issues;
    expect([0, 1, 2, 3, 11, 100].map((n) => plain(ar.plural(count, n)))).toEqual([
      'لا مشكلات',
      'مشكلة واحدة',
      'مشكلتان',
      '3 مشكلات',
      '11 مشكلة',
      '100 مشكلة',
    ]);
    expect(plain(en.plural(textsOf('en').issues.count, 1))).toBe('1 issue');
  });
});

describe('fill', () => {
  it('keeps the direction of each value to itself', () => {
    expect(fill('في {path}', { path: '/a/b' })).toBe('في \u2068/a/b\u2069');
  });

  it('takes from a value what would turn the text around it', () => {
    expect(fill('{name}!', { name: 'a\u202e\u2069b' })).toBe('\u2068ab\u2069!');
  });

  it('fills no place out of a value, and none that only every object has', () => {
    expect(fill('{a} {toString}', { a: '{b}', b: 'no' })).toBe('\u2068{b}\u2069 {toString}');
  });
});

describe('phoneDigits', () => {
  it.each([
    ['+20 (123) 456-7890', '201234567890'],
    ['+٢٠ ١٢٣ ٤٥٦ ٧٨٩٠', '201234567890'],
    ['\u200e+۲۰۱۲۳۴۵۶۷', '201234567'],
    ['1234567', '1234567'],
    ['00201234567890', '201234567890'],
    ['00 20 123 456 7890', '201234567890'],
    ['٠٠٩٦٦ ٥٠ ١٢٣ ٤٥٦٧', '966501234567'],
  ])('reads %s', (typed, digits) => {
    expect(phoneDigits(typed)).toBe(digits);
  });

  it.each([
    '',
    '123456',
    '1234567890123456',
    '20123456789a',
    '20/123456789',
    '01234567890',
    '٠٥٠١٢٣٤٥٦٧',
    '+0201234567890',
    '0000201234567890',
    '00123456',
  ])('refuses "%s"', (typed) => {
    expect(phoneDigits(typed)).toBeUndefined();
  });
});

describe('historyLine', () => {
  const point = (at: number, score: number) => ({ at, score, status: 'healthy' }) as const;
  const box = { width: 100, height: 50 };

  it('needs two points', () => {
    expect(historyLine([], box)).toBeUndefined();
    expect(historyLine([point(0, 90)], box)).toBeUndefined();
  });

  it('spans the box, the higher the better', () => {
    expect(historyLine([point(0, 100), point(5000, 0), point(10_000, 50)], box)).toEqual({
      points: '0.0,0.0 50.0,50.0 100.0,25.0',
      first: 100,
      last: 50,
      lowest: 0,
      highest: 100,
      durationMs: 10_000,
    });
  });
});
