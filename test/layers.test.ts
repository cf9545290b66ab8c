import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** Every source file by its path below src/, with its text. */
const sources: ReadonlyMap<string, string> = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(SRC, path), 'utf8')]),
);

/**
 * From the top to the bottom: a file imports from its own level or from one below, never from one above. What is not
 * named here is a base file or a folder of base files, at the bottom.
 */
const LEVELS: readonly (readonly string[])[] = [
  ['cli', 'http', 'metrics', 'testing'],
  ['index.ts', 'from-env.ts', 'list-clients.ts', 'persistent-session.ts'],
  ['wiring'],
  ['supervision'],
  ['supervision/run', 'supervision/health'],
  ['supervision/reconnect'],
  ['supervision/start'],
  ['supervision/import', 'supervision/save'],
  ['supervision/restore', 'supervision/prune', 'supervision/watch'],
  ['supervision/login', 'supervision/ownership'],
  ['supervision/context'],
  ['supervision/browser'],
  ['supervision/record'],
  ['client', 'lease', 'worker'],
  ['snapshot/thread'],
  ['snapshot/repository'],
  ['snapshot/shelf'],
  ['snapshot/tail'],
  ['snapshot/zip', 'snapshot/catalog', 'snapshot/packs'],
  ['snapshot/hashing', 'snapshot/state'],
  ['snapshot/store-calls'],
  ['snapshot/manifest'],
  ['snapshot'],
  ['profile'],
  ['stores'],
];

/** Folders whose own folders are rooms with levels of their own. */
const HOUSES: readonly string[] = ['supervision', 'snapshot'];

/** Rooms of one level that know nothing of each other, whatever the level says. */
const STRANGERS: readonly (readonly [string, string])[] = [
  ['client', 'profile'],
  ['client', 'snapshot'],
  ['client', 'lease'],
  ['profile', 'client'],
  ['profile', 'lease'],
  ['snapshot', 'client'],
  ['snapshot', 'lease'],
  ['lease', 'client'],
  ['lease', 'profile'],
  ['lease', 'snapshot'],
  ['snapshot/zip', 'snapshot/catalog'],
  ['snapshot/catalog', 'snapshot/zip'],
  ['snapshot/packs', 'snapshot/zip'],
  ['snapshot/packs', 'snapshot/catalog'],
  ['supervision/run', 'supervision/health'],
  ['supervision/health', 'supervision/run'],
  ['supervision/import', 'supervision/save'],
  ['supervision/save', 'supervision/import'],
  ['supervision/restore', 'supervision/prune'],
  ['supervision/restore', 'supervision/watch'],
  ['supervision/prune', 'supervision/restore'],
  ['supervision/prune', 'supervision/watch'],
  ['supervision/watch', 'supervision/restore'],
  ['supervision/watch', 'supervision/prune'],
  ['supervision/login', 'supervision/ownership'],
  ['supervision/ownership', 'supervision/login'],
];

describe('the layers of src/', () => {
  it('are all there: every level names folders and files that exist', () => {
    const rooms = new Set([...sources.keys()].map(roomOf));
    const planned = ['cli', 'metrics'];
    expect(LEVELS.flat().filter((room) => !rooms.has(room))).toEqual(planned);
    const inner = [...rooms].filter((room) => HOUSES.some((house) => isWithin(room, house)));
    expect(inner.filter((room) => !LEVELS.flat().includes(room))).toEqual([]);
  });

  it('are drawn in docs/architecture.md as they are', () => {
    const page = readFileSync(join(SRC, '..', 'docs', 'architecture.md'), 'utf8');
    const [, picture = ''] = /## The layers[\s\S]*?```\n([\s\S]*?)```/.exec(page) ?? [];
    const lines = picture.split('\n').map((line) => line.split('|')[0]?.match(/[^\s()]+/g) ?? []);
    const levels = lines.map((names) =>
      names.map((name) => LEVELS.findIndex((rooms) => rooms.includes(name))),
    );
    const drawn = levels.map((line) => line.filter((level) => level >= 0));
    expect(
      lines
        .flat()
        .filter((name) => LEVELS.flat().includes(name))
        .sort(),
    ).toEqual(LEVELS.flat().sort());
    expect(drawn.flat()).toEqual(drawn.flat().sort((a, b) => a - b));
    expect(drawn.filter((line) => new Set(line).size > 1)).toEqual([]);
  });

  it('import downward only', () => {
    const upward = allImports()
      .filter(({ from, to }) => levelOf(to) < levelOf(from))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(upward).toEqual([]);
  });

  it('never in a circle, not even by their types', () => {
    expect(importCircles()).toEqual([]);
  });

  it('keep rooms of one level apart', () => {
    const mixed = allImports()
      .filter(({ from, to }) => STRANGERS.some(([a, b]) => isWithin(from, a) && isWithin(to, b)))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(mixed).toEqual([]);
  });

  it('point to files that exist', () => {
    const dangling = allImports().filter(({ to }) => !sources.has(to));
    expect(dangling).toEqual([]);
  });

  it('never import whatsapp-web.js or puppeteer, not even their types', () => {
    const names = [...sources].flatMap(([path, text]) =>
      packagesIn(text, /\b(?:from|import|require)\s*\(?\s*'([^']+)'/g)
        .filter((name) => /^(whatsapp-web\.js|puppeteer)/.test(name))
        .map((name) => `${path} imports ${name}`),
    );
    expect(names).toEqual([]);
  });

  it("name the modules of WhatsApp's page in client/ only", () => {
    expect(filesNaming(/WAWeb[A-Z]|\bpupPage\b|\bpupBrowser\b/)).toEqual(new Set(['client', 'testing']));
  });

  it("name Chromium's files in profile/ only", () => {
    const rooms = filesNaming(
      /'[^'\n]*(?:IndexedDB\/|Local Storage|Singleton(?:Lock|Cookie|Socket))[^'\n]*'/,
    );
    rooms.delete('testing');
    expect(rooms).toEqual(new Set(['profile']));
  });
});

describe('importing the package', () => {
  it('loads neither unzipper nor whatsapp-web.js nor puppeteer', () => {
    const reached = reachedFrom('index.ts');
    expect(reached.files.size).toBeGreaterThan(50);
    expect([...reached.packages].filter((name) => !name.startsWith('node:'))).toEqual(['eventemitter3']);
  });

  it('for its HTTP side loads no package at once, not even the one that draws a QR', () => {
    const reached = reachedFrom('http/index.ts');
    expect(reached.files).toContain('http/handler.ts');
    expect([...reached.packages].filter((name) => !name.startsWith('node:'))).toEqual([]);
    expect(reached.files).not.toContain('persistent-session.ts');
  });
});

interface Import {
  readonly from: string;
  readonly to: string;
}

function allImports(): readonly Import[] {
  return [...sources].flatMap(([from, text]) =>
    packagesIn(text, /\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g).map((name) => ({
      from,
      to: resolve(from, name),
    })),
  );
}

/** Every import that leads back to the file it stands in, by way of others. */
function importCircles(): readonly string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of allImports()) targets.set(from, [...(targets.get(from) ?? []), to]);
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const open = [start];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      open.push(...(targets.get(path) ?? []));
    }
    return seen;
  };
  return allImports()
    .filter(({ from, to }) => reach(to).has(from))
    .map(({ from, to }) => `${from} imports ${to}, which leads back to it`);
}

/** What is loaded with a file at once: neither types nor what is imported only when it is needed. */
function reachedFrom(start: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    for (const name of staticImports(sources.get(path) ?? '')) {
      if (name.startsWith('.')) open.push(resolve(path, name));
      else packages.add(name);
    }
  }
  return { files, packages };
}

function staticImports(text: string): readonly string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\s)(?:[^;']*?\sfrom\s+)?'([^']+)'/gm)].map(
    ([, name]) => name ?? '',
  );
}

function packagesIn(text: string, pattern: RegExp): readonly string[] {
  return [...withoutComments(text).matchAll(pattern)].map(([, name]) => name ?? '');
}

function filesNaming(pattern: RegExp): Set<string> {
  return new Set(
    [...sources].filter(([, text]) => pattern.test(withoutComments(text))).map(([path]) => roomOf(path)),
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function resolve(from: string, name: string): string {
  return posix.normalize(posix.join(posix.dirname(from), name)).replace(/\.js$/, '.ts');
}

/** The folder below src/, in a house with rooms of its own the one below that; a file of src/ itself is its own room. */
function roomOf(path: string): string {
  const [first = path, second, ...rest] = path.split('/');
  return HOUSES.includes(first) && rest.length > 0 ? `${first}/${second}` : first;
}

function isWithin(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`);
}

function levelOf(path: string): number {
  if (path === 'stores/session-store.ts') return LEVELS.length; // the interface alone: a base file
  const level = LEVELS.findIndex((rooms) => rooms.includes(roomOf(path)));
  return level < 0 ? LEVELS.length : level;
}

// Guards the test itself: without sources it would pass for nothing.
if (sources.size === 0) throw new Error(`no sources below ${relative(process.cwd(), SRC)}`);
