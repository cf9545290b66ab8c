import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MAX_LINES = 250;

/** Pages to be read from top to bottom; the list of changes grows for ever. */
const pages = ['.', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
    .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
);

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

describe('the pages', () => {
  it.each(pages)('%s: is short enough to be read', (page) => {
    expect(textOf(page).trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });
});

describe('docs/writing-a-store.md', () => {
  it('shows the store of the example, which test/stores/custom-store.test.ts runs', () => {
    const [, shown] = /```ts\n(.*?)\n```/s.exec(textOf('docs/writing-a-store.md')) ?? [];
    expect(shown).toBe(textOf('examples/custom-store/kv-store.ts').trimEnd());
  });
});

describe('docs/recovery.ar.md', () => {
  const english = textOf('docs/recovery.md');
  const arabic = textOf('docs/recovery.ar.md');

  it('has the same chapters, tables and rows', () => {
    expect(rowsOf(english).length).toBeGreaterThan(40);
    expect(rowsOf(arabic).map(({ length }) => length)).toEqual(rowsOf(english).map(({ length }) => length));
    expect(arabic.match(/^##? /gm)).toEqual(english.match(/^##? /gm));
  });

  it('names in every cell the same codes; those that were seen in the same order', () => {
    const codes = (text: string) =>
      rowsOf(text).map(([seen = '', ...cells]) => [
        codesOf(seen),
        ...cells.map((cell) => codesOf(cell).sort()),
      ]);
    expect(codes(arabic)).toEqual(codes(english));
  });

  it('shows the same commands and leads to the same pages', () => {
    expect(commandsOf(arabic)).toEqual(commandsOf(english));
    const links = (text: string) =>
      [...text.matchAll(/\]\(([^)]+)\)/g)]
        .map(([, target]) => target)
        .filter((target) => !target?.startsWith('recovery'));
    expect(links(arabic).sort()).toEqual(links(english).sort());
  });
});

/** The rows of all tables, cell by cell. */
function rowsOf(text: string): readonly (readonly string[])[] {
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return rows.map((row) => row.split('|').slice(1, -1));
}

function codesOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** What the blocks of code do, without what they say. */
function commandsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```\w+\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  return blocks.map((block) => block.replace(/\s*\/\/ .*$/gm, ''));
}
