import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MAX_LINES = 250;

const pages = ['.', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
);
const guides = pages.filter((page) => page !== 'CHANGELOG.md');

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

function withoutCode(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`/g, '');
}

/** The anchors of a page: those of its headings, as GitHub makes them, and those that it sets itself. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = textOf(page)
    .replace(/^```[\s\S]*?^```/gm, '')
    .matchAll(/^#+ (.+)$/gm);
  const anchors = [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const own = [...textOf(page).matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  return new Set([...anchors, ...own]);
}

/** Links of a page that lead to nothing. */
function deadLinks(page: string): readonly string[] {
  const targets = [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = '']) => target,
  );
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor);
    })
    .map((target) => `${page}: ${target}`);
}

/** Files and folders of the sources that a page names and that do not exist. */
function deadPaths(page: string): readonly string[] {
  const named = [...textOf(page).matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/(?:[\w.-]+\.(?:ts|tsx|mjs|js))?)`/g)];
  const rooms = ['src', 'test', 'scripts', 'bench', ...readdirSync(join(ROOT, 'src'))];
  return named
    .map(([, path = '']) => path)
    .filter((path) => rooms.includes(path.split('/')[0] ?? ''))
    .filter((path) => !PLANNED.includes(path))
    .filter((path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, 'src', path)))
    .map((path) => `${page}: ${path}`);
}

/** Rooms that stand in the plan of the house and are still empty. */
const PLANNED = ['cli/', 'metrics/'];

describe('the pages', () => {
  it.each(pages)('%s: every link leads somewhere', (page) => {
    expect(deadLinks(page)).toEqual([]);
  });

  it.each(guides)('%s: every file of the sources that it names exists', (page) => {
    expect(deadPaths(page)).toEqual([]);
  });

  it.each(guides)('%s: is short enough to be read', (page) => {
    expect(textOf(page).trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
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
