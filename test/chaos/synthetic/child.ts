import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from '../../support/bundle.js';
import type { Order, Told } from '../children/synthetic-session.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPT = join(ROOT, 'test/chaos/children/synthetic-session.ts');
const PATIENCE_MS = 30_000;

export type Ended = Extract<Told, { readonly told: 'ended' }>;

/** How children are started. */
export interface ChildKind {
  /** Arguments of node. */
  readonly arguments: readonly string[];
  /** The address of the library's entry. */
  readonly library: string;
  dispose(): Promise<void>;
}

/** Children that run a bundle of the sources as they stand now. */
export function childrenOfSources(): ChildKind {
  const source = (path: string) => join(ROOT, 'src', path);
  const [script, ...libraries] = bundle(SCRIPT, source('index.ts'), source('testing/index.ts'));
  const [library, testing] = libraries.map((path) => pathToFileURL(path).href) as [string, string];
  return { arguments: [script, library, testing], library, dispose: async () => undefined };
}

/** Children that run a copy of the built package, so that a thousand of them start as fast as node itself. */
export async function childrenOfBuild(): Promise<ChildKind> {
  // Below node_modules, so that the dependencies are found; a copy, so that a build meanwhile does no harm.
  const copy = join(ROOT, 'node_modules', '.cache', `chaos-${process.pid}`);
  await mkdir(dirname(copy), { recursive: true });
  await cp(join(ROOT, 'dist'), copy, { recursive: true });
  const { default: typescript } = await import('typescript');
  const script = join(copy, 'synthetic-session.mjs');
  const { outputText } = typescript.transpileModule(await readFile(SCRIPT, 'utf8'), {
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  await writeFile(script, outputText);
  const built = (path: string) => pathToFileURL(join(copy, path)).href;
  return {
    arguments: [script, built('index.js'), built('testing/index.js')],
    library: built('index.js'),
    dispose: () => rm(copy, { recursive: true, force: true }),
  };
}

/** A child process that obeys orders and can be killed at any instant. */
export class SyntheticChild {
  readonly #process: ChildProcess;
  readonly #exit: Promise<void>;
  readonly #loaded: Promise<Told>;
  #stderr = '';

  constructor(kind: ChildKind) {
    this.#process = spawn(process.execPath, [...kind.arguments], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.#exit = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.setMaxListeners(0);
    this.#loaded = this.#next('loaded');
    this.#loaded.catch(() => undefined);
  }

  /** Resolves when the order has completed. */
  async obey(order: Order): Promise<Ended> {
    return (await this.begin(order)).ended;
  }

  /** Resolves when the child begins the order; `ended` resolves when it is done, and never if it is killed before. */
  async begin(order: Order): Promise<{ readonly ended: Promise<Ended> }> {
    await this.#loaded;
    // Listens for both messages from the start, because they may arrive in one turn.
    const begun = this.#next('begun');
    const ended = this.#next('ended') as Promise<Ended>;
    ended.catch(() => undefined);
    this.#process.send(order);
    await begun;
    return { ended };
  }

  /** Sends SIGKILL; resolves when the process has ended. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }

  #next(wanted: Told['told']): Promise<Told> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#process.off('message', listen);
        this.#process.off('exit', onExit);
      };
      const fail = (what: string) => {
        leave();
        reject(new Error(`the child ${what} before it told "${wanted}"; ${this.#stderr}`));
      };
      const listen = (told: Told) => {
        if (told.told !== wanted) return;
        leave();
        resolve(told);
      };
      const onExit = () => fail('was gone');
      const timer = setTimeout(() => fail(`took longer than ${PATIENCE_MS} ms`), PATIENCE_MS);
      this.#process.on('message', listen);
      this.#process.on('exit', onExit);
    });
  }
}
