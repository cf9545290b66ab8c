import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const source = new URL('../../src/', import.meta.url);

describe('importing the library', () => {
  it('loads neither unzipper nor archiver: they are imported where they are used', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(files.length).toBeGreaterThan(20);
    const statically = files.filter((name) =>
      /^(import|export) (?!type)[^;]*from '(?:unzipper|archiver)[/']/m.test(
        readFileSync(new URL(name, source), 'utf8'),
      ),
    );
    expect(statically).toEqual([]);
  });
});
