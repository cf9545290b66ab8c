import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const EVENTS = read('../src/events.ts');
const ERRORS = read('../src/errors.ts');
const PAGE = read('../docs/events.md');

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

/** The literals of `export type <name> = 'a' | 'b';`, whatever is written between them. */
function literalsOf(source: string, name: string): readonly string[] {
  const body = new RegExp(`export type ${name} =([^;]*);`).exec(withoutComments(source))?.[1] ?? '';
  return [...body.matchAll(/'([^']+)'/g)].map(([, literal = '']) => literal);
}

/** The fields of `SessionEventPayloads` and their payloads, as they are written. */
function eventsOf(source: string): ReadonlyMap<string, string> {
  const body =
    /export interface SessionEventPayloads \{\n([\s\S]*?)\n\}/.exec(withoutComments(source))?.[1] ?? '';
  const fields = body.split(/^ {2}(?=['\w])/m).filter((field) => field.trim() !== '');
  return new Map(
    fields.map((field) => [/^(?:'([^']+)'|(\w+))/.exec(field)?.slice(1).join('') ?? field, field]),
  );
}

/** The fields of an interface that several events share, where the payload is one. */
function sharedPayload(source: string): string | undefined {
  const name = /: (\w+);/.exec(source)?.[1];
  const interfaces = withoutComments(EVENTS);
  return source.includes('{')
    ? undefined
    : new RegExp(`interface ${name} \\{([\\s\\S]*?)\\n\\}`).exec(interfaces)?.[1];
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}

/** The rows of the table below a heading, cell by cell. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function codesBelow(heading: string): readonly string[] {
  return rowsBelow(heading).map(([code = '']) => code.replaceAll('`', ''));
}

describe('docs/events.md', () => {
  it.each([
    ['Warnings', literalsOf(EVENTS, 'WarningCode')],
    ['Error codes', literalsOf(ERRORS, 'SessionErrorCode')],
    ['Causes of a disconnect', literalsOf(EVENTS, 'DisconnectCause')],
    ['Causes of a stop', literalsOf(EVENTS, 'StopCause')],
    ['Reasons of a restore', literalsOf(EVENTS, 'RestoreReason')],
    ['Reasons of a save or backup that was skipped', literalsOf(EVENTS, 'SkipReason')],
    ['Events', [...eventsOf(EVENTS).keys()]],
  ])('%s: none is missing, none is invented, each stands there once', (heading, known) => {
    expect(known.length).toBeGreaterThan(2);
    expect([...codesBelow(heading)].sort()).toEqual([...known].sort());
  });

  it('names the fields of each payload, and which of them may be absent', () => {
    const payloads = eventsOf(EVENTS);
    for (const [name = '', fields = ''] of rowsBelow('Events')) {
      const event = name.replaceAll('`', '');
      const source = payloads.get(event) ?? '';
      const written = sharedPayload(source) ?? source;
      const known = [...written.matchAll(/readonly (\w+\??):/g)].map(([, field]) => field);
      expect(`${event}: ${fields.replaceAll('`', '')}`).toBe(`${event}: ${known.join(', ')}`);
    }
  });

  it('says in every cell of every table something', () => {
    const tables = PAGE.split('\n').filter((line) => line.startsWith('| `'));
    for (const row of tables) {
      for (const cell of row.split('|').slice(1, -1)) expect(cell.trim(), row).not.toBe('');
    }
  });

  it('stays short enough to be read', () => {
    expect(PAGE.split('\n').length).toBeLessThan(250);
  });
});
