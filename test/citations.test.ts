import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROOMS = ['src', 'test', 'scripts', 'bench', 'docs', 'examples', '.github'];
const PAGES = ['README.md', 'README.ar.md', 'CONTRIBUTING.md', 'SECURITY.md'];
const FACTS = 'docs/chromium-facts.md';
const INVARIANTS = 'docs/invariants.md';

/** Files of other projects and of a user that comments and pages speak of; they are not in this repository. */
const ELSEWHERE = new Set<string>([
  'src/Client.js', // whatsapp-web.js
  'src/util/Injected/Store.js', // whatsapp-web.js
  'doc/log_format.md', // LevelDB
  'doc/table_format.md', // LevelDB
  'unzipper/lib/Open/directory.js',
]);

/** Every path of the repository, folders too. */
const paths: ReadonlySet<string> = new Set([...ROOMS.flatMap(below), ...readdirSync(ROOT)]);

/** What people read: the comments of code, the whole of a page. */
const texts: ReadonlyMap<string, string> = new Map(
  [...ROOMS.flatMap(below), ...PAGES]
    .filter((path) => /\.(?:tsx?|m?js|css|md|yaml)$/.test(path) && !path.endsWith('/generated.ts'))
    .filter((path) => path !== 'test/citations.test.ts' && existsSync(join(ROOT, path)))
    .map((path) => [path, readableText(path)]),
);

describe('a citation', () => {
  it.each([
    [FACTS, /\bF\d+\.\d+\b/g],
    [INVARIANTS, /\bI\d{1,2}\b/g],
  ])('of %s names its page and a number that stands there', (page, number) => {
    const known = anchorsOf(page);
    expect(known.size).toBeGreaterThan(10);
    const cited = new RegExp(`${page} ${number.source}(?:(?:, | and )${number.source})*`, 'g');
    const unknown = [...texts].flatMap(([path, text]) => {
      const citations = path === page ? text : (text.match(cited) ?? []).join();
      return [...citations.matchAll(number)]
        .filter(([id]) => !known.has(id.toLowerCase()))
        .map(foundIn(path));
    });
    expect(unknown).toEqual([]);
    const withoutPage = [...texts].flatMap(([path, text]) => {
      const rest = path === page ? '' : text.replace(cited, '').replace(/\[[^\]]*\]\([^)]*\)/g, '');
      return [...rest.matchAll(number)].map(foundIn(path));
    });
    expect(withoutPage).toEqual([]);
  });

  it('never points to notes that are not in the repository', () => {
    const notes =
      /\bFACTS\b|\bDESIGN\b|\b[Ii]nvariants? \d+|\b[Tt]he (?:first |original )?plan\b|\b[Tt]he design(?:'s| says\b)|\bin the design\b/g;
    const dangling = [...texts.keys()].flatMap((path) =>
      [...wholeText(path).matchAll(notes)].map(foundIn(path)),
    );
    expect(dangling).toEqual([]);
  });
});

describe('the docstring of a type in a file that the package exports from', () => {
  it('cites no page of docs/, which the package lacks', () => {
    const entries = [...paths].filter((path) =>
      /^src\/(?:index|(?:http|testing|stores\/\w+)\/index)\.ts$/.test(path),
    );
    const files = entries.flatMap((path) =>
      [...wholeText(path).matchAll(/ from '([^']+)\.js';/g)].map(
        ([, target = '']) => `${posix.join(posix.dirname(path), target)}.ts`,
      ),
    );
    expect(files.length).toBeGreaterThan(20);
    const citing = files.flatMap((file) =>
      [...wholeText(file).matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\nexport (?:interface|type) (\w+)/g)]
        .filter(([, docstring = '']) => docstring.includes('docs/'))
        .map(([, , name]) => `${file}: ${name}`),
    );
    expect(citing).toEqual([]);
  });
});

describe('the numbers of a page', () => {
  it.each([
    [FACTS, /^(?:- )?\*\*(F\d+\.\d+)\*\* <a id="(.*?)"><\/a>/gm],
    [INVARIANTS, /^\*\*(I\d+)\*\* <a id="(.*?)"><\/a>/gm],
  ])('%s: each has its anchor, and stands there once', (page, entry) => {
    const entries = [...wholeText(page).matchAll(entry)].map(([, id = '', anchor = '']) => [
      id.toLowerCase(),
      anchor,
    ]);
    expect(entries.map(([id]) => id)).toEqual(entries.map(([, anchor]) => anchor));
    expect(new Set(entries.map(([id]) => id)).size).toBe(entries.length);
    expect(entries.length).toBe(anchorsOf(page).size);
  });
});

describe('a file that is named', () => {
  it('in a comment or a page is in the repository', () => {
    const files = /(?<![\w@./<>*:-])(?:\.{1,2}\/)*(?:[\w.-]+\/)*[\w.-]+\.(?:tsx?|md|mjs|ya?ml|sh)\b/g;
    expect(missing(files)).toEqual([]);
  });

  it('in a comment or a page by its path from the root is in the repository', () => {
    const rooted = /(?<![\w@./<>*:-])(?:src|test|scripts|bench|docs|examples)\/[\w./-]*\w(?![\w./-]*[*<])/g;
    expect(missing(rooted)).toEqual([]);
  });

  it('by a link of a page is in the repository, and so is the heading it leads to', () => {
    const dead = [...texts]
      .filter(([path]) => path.endsWith('.md'))
      .flatMap(([path, text]) =>
        [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
          .filter(([, target = '', anchor]) => {
            const file = target === '' ? path : posix.join(posix.dirname(path), target);
            if (!existsSync(join(ROOT, file))) return true;
            return anchor !== undefined && file.endsWith('.md') && !isHeading(file, anchor);
          })
          .map(foundIn(path)),
      );
    expect(dead).toEqual([]);
  });
});

describe('a name of the code', () => {
  it('in a page that explains the code is one that the code has', () => {
    const code = [...paths].filter((path) => /\.tsx?$/.test(path) && !/^docs/.test(path)).map(wholeText);
    const names = new Set(code.flatMap((text) => text.match(/\b[A-Z]\w*\b/g) ?? []));
    const unknown = [...texts]
      .filter(([path]) => path.startsWith('docs/') && !/deploy|platforms/.test(path)) // those name what others wrote
      .flatMap(([path, text]) =>
        [...text.matchAll(/(?<=`)[A-Z][a-z\d]+[A-Z]\w*(?=(?:\(\))?`)/g)]
          .filter(([name]) => !names.has(name))
          .map(foundIn(path)),
      );
    expect(unknown).toEqual([]);
  });
});

function below(room: string): readonly string[] {
  return readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .map((path) => `${room}/${path.replaceAll('\\', '/')}`)
    .filter((path) => !/(?:^|\/)(?:node_modules|\.next)(?:\/|$)/.test(path));
}

function wholeText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A page without its examples of code; the comments of a file of code, their lines joined. */
function readableText(path: string): string {
  const text = wholeText(path);
  if (path.endsWith('.md')) return text.replace(/^```[\s\S]*?^```/gm, '');
  if (path.endsWith('.yaml')) return text;
  const comments = text.match(/\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n?)+|[ \t]\/\/ .*$/gm) ?? [];
  return comments.map((comment) => comment.replace(/\n\s*(?:\*(?!\/)|\/\/)?[ \t]*/g, ' ')).join('\n');
}

function anchorsOf(page: string): ReadonlySet<string> {
  return new Set([...wholeText(page).matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id));
}

function isHeading(file: string, anchor: string): boolean {
  const headings = [...wholeText(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
  return headings.includes(anchor) || anchorsOf(file).has(anchor);
}

function missing(pattern: RegExp): readonly string[] {
  return [...texts].flatMap(([from, text]) =>
    [...text.matchAll(pattern)].filter(([name]) => !isThere(from, name)).map(foundIn(from)),
  );
}

/** From the root, from where the comment stands, or the end of some path, as `capture/copy-file.ts` is. */
function isThere(from: string, name: string): boolean {
  if (ELSEWHERE.has(name) || paths.has(name)) return true;
  if (paths.has(posix.join(posix.dirname(from), name))) return true;
  return [...paths].some((path) => path.endsWith(`/${name}`));
}

function foundIn(path: string): (match: RegExpMatchArray) => string {
  return ([found]) => `${path}: ${found}`;
}
