import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const PAGE = readFileSync(pathOf('docs/stores/redis.md'), 'utf8');
const MAX_LINES = 250;

/** What the blocks use beside the store; the whole of it would take half a minute. */
const OTHERS = `
  declare module 'whatsapp-web.js' {
    const wweb: { Client: new (options: object) => object; LocalAuth: new (options: object) => object };
    export default wweb;
  }
  declare module 'wwebjs-persistent-session' {
    export class PersistentSession {
      constructor(client: object, options: { readonly store: import('../src/stores/session-store.js').SessionStore });
      initialize(): Promise<void>;
    }
  }`;

describe('docs/stores/redis.md', () => {
  it('is short enough to be read', () => {
    expect(PAGE.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });

  it('has a row for every option', () => {
    const options = readFileSync(pathOf('src/stores/redis/options.ts'), 'utf8');
    const [, fields = ''] = /interface RedisStoreOptions \{([\s\S]*?)\n\}/.exec(options) ?? [];
    const names = [...fields.matchAll(/^ {2}readonly (\w+)\?/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(8);
    const [, table = ''] = /## Settings([\s\S]*?)\n## /.exec(PAGE) ?? [];
    expect(names.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
  });

  it('shows code that compiles', () => {
    const blocks = [...PAGE.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
    expect(blocks).toHaveLength(2);
    const files = new Map<string, string>(
      blocks.map((code, index) => [pathOf(`docs/block-${index}.ts`), code]),
    );
    files.set(pathOf('docs/others.d.ts'), OTHERS);
    const options: ts.CompilerOptions = {
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      esModuleInterop: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      paths: {
        'wwebjs-persistent-session/stores/redis': [pathOf('src/stores/redis/index.ts')],
      },
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    const target = {
      languageVersion: ts.ScriptTarget.ES2022,
      impliedNodeFormat: ts.ModuleKind.ESNext,
    } as const;
    host.getSourceFile = (name, ...rest) => {
      const code = files.get(name);
      return code === undefined ? getSourceFile(name, ...rest) : ts.createSourceFile(name, code, target);
    };
    host.fileExists = (name) => files.has(name) || fileExists(name);
    host.readFile = (name) => files.get(name) ?? readFile(name);
    const program = ts.createProgram([...files.keys()], options, host);
    // Only the blocks are checked, as the whole of the library is elsewhere.
    const sources = program.getSourceFiles().filter(({ fileName }) => files.has(fileName));
    const problems = sources.flatMap((source) =>
      [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
      ),
    );
    expect(sources).toHaveLength(3);
    expect(problems).toEqual([]);
  });
});
