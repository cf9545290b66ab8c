import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ERRORS = fileURLToPath(new URL('../src/errors.ts', import.meta.url));
const BOT = '/virtual/bot.ts';
const DECLARATIONS = '/virtual/errors.d.ts';

const SOURCE = `
  import { isSessionError, SessionError } from './errors.js';
  export function told(error: unknown): unknown[] {
    if (!isSessionError(error)) return [];
    const same: SessionError = error;
    if (error.code === 'PROFILE_LOCKED') return [error.pid, same.cause];
    if (error.code === 'BROWSER_TOO_OLD') return [error.writtenBy];
    // @ts-expect-error only some errors have it
    const { pid } = error;
    return [error.cause, error.code === 'STORE', error.message, pid];
  }
`;

/** The declarations as the package has them. */
function declarations(): string {
  const program = ts.createProgram([ERRORS], {
    declaration: true,
    emitDeclarationOnly: true,
    strict: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    skipLibCheck: true,
  });
  let text = '';
  program.emit(undefined, (_name, written) => {
    text = written;
  });
  return text;
}

/** What the compiler says of a bot that uses them, with the library of an older ECMAScript. */
function problems(declared: string, lib: string): readonly string[] {
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    lib: [`lib.${lib}.d.ts`],
    target: ts.ScriptTarget.ES2018,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const virtual = new Map([
    [BOT, SOURCE],
    [DECLARATIONS, declared],
  ]);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) => {
    const text = virtual.get(name);
    return text === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, text, ts.ScriptTarget.ES2018);
  };
  host.fileExists = (name) => virtual.has(name) || fileExists(name);
  host.directoryExists = () => true; // else nothing is looked for in a folder that is not on the disk
  host.readFile = (name) => virtual.get(name) ?? readFile(name);
  const program = ts.createProgram([BOT], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('the types of the errors', () => {
  const declared = declarations();

  it.each(['es2018', 'es2020', 'es2021', 'es2022'])(
    'tell the cause, and the fields that a code has, with the library of %s',
    (lib) => {
      expect(problems(declared, lib)).toEqual([]);
    },
  );
});
