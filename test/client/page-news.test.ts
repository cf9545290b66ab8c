import { describe, expect, it } from 'vitest';
import { PageNews } from '../../src/client/page-news.js';

describe('what is heard of a page', () => {
  it('is the last few errors, each bounded and on one line', () => {
    const news = new PageNews();
    for (let round = 0; round < 100; round++)
      news.note('the page', new Error(`error no. ${round}\n    at somewhere`));
    expect(news.all).toHaveLength(5);
    expect(news.last).toBe('the page: error no. 99');
    news.note('the page', 'x'.repeat(1_000_000));
    expect(news.last?.length).toBeLessThan(250);
  });

  it('is told once where a function fails and the page says the same', () => {
    const news = new PageNews();
    news.note('onQRChangedEvent', new Error('EISDIR: illegal operation'));
    news.note(
      'the page',
      new Error('EISDIR: illegal operation\n    at Object.writeFileSync (node:fs:2380:20)'),
    );
    expect(news.all).toEqual(['onQRChangedEvent: EISDIR: illegal operation']);
  });

  it('holds no credentials, bears what has no text, and ends with its page', () => {
    const news = new PageNews();
    news.note('the page', new Error('failed at https://bot:pa55word@proxy/'));
    news.note('the page', Object.create(null));
    expect(news.all.join()).not.toContain('pa55word');
    news.clear();
    expect(news.last).toBeUndefined();
  });
});
