import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/stores/s3.md'), 'utf8');
const MAX_LINES = 250;

describe('docs/stores/s3.md', () => {
  it('is short enough to be read', () => {
    expect(PAGE.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });

  it('has code that compiles', () => {
    const blocks = [...PAGE.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
    expect(blocks).toHaveLength(3);
    expect(problemsOf(blocks)).toEqual([]);
  });

  it('names every option', () => {
    const options = readFileSync(join(ROOT, 'src/stores/s3/options.ts'), 'utf8');
    const [, body = ''] = /interface S3StoreOptions \{([\s\S]*?)^\}/m.exec(options) ?? [];
    const names = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(8);
    for (const name of names.filter((one) => one !== 'clock')) expect(PAGE).toContain(`| \`${name}\` |`);
  });
});

/** What the compiler says of some blocks of code, each a module of its own. */
function problemsOf(blocks: readonly string[]): readonly string[] {
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: ['node'], esModuleInterop: true },
    ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 },
    ...{ moduleResolution: ts.ModuleResolutionKind.NodeNext, exactOptionalPropertyTypes: true },
    paths: {
      'wwebjs-persistent-session': [join(ROOT, 'src/index.ts')],
      'wwebjs-persistent-session/stores/s3': [join(ROOT, 'src/stores/s3/index.ts')],
    },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const files = new Map(blocks.map((block, index) => [join(ROOT, `docs/stores/block-${index}.ts`), block]));
  host.getSourceFile = (name, ...rest) => {
    const block = files.get(name);
    return block === undefined
      ? getSourceFile.call(host, name, ...rest)
      : ts.createSourceFile(name, block, ts.ScriptTarget.ES2022);
  };
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((name) => {
    const file = program.getSourceFile(name);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  });
}
