import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DASHBOARD = join(dirname(fileURLToPath(import.meta.url)), '../../src/http/dashboard');
const CLIENT = join(DASHBOARD, 'client');

export const GENERATED = join(DASHBOARD, 'generated.ts');

/** The style sheets in the order of their cascade. */
const STYLES = ['base.css', 'parts.css', 'page.css'];

/** The text of `generated.ts`. */
export async function bundleDashboard(): Promise<string> {
  const constants = {
    BOOT_SCRIPT: await script('boot.ts'),
    DASHBOARD_SCRIPT: `/*! preact | MIT | (c) 2015-present Jason Miller */${await script('dashboard.tsx')}`,
    LOGIN_SCRIPT: await script('sign-in.ts'),
    STYLE: await style(),
  };
  return [
    '// Made by `npm run build:dashboard` out of client/; test/http/dashboard/page.test.ts tells when it is old.',
    ...Object.entries(constants).map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};`),
    '',
  ].join('\n');
}

/** Browsers of 2022, old enough for the phones in use. */
const TARGET = ['chrome105', 'safari16', 'firefox110'];

async function script(entry: string): Promise<string> {
  const text = await bundle({ entryPoints: [join(CLIENT, entry)] });
  // Escapes text that would end the `<script>` element.
  return text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
}

async function style(): Promise<string> {
  const contents = STYLES.map((name) => `@import "./${name}";`).join('\n');
  return bundle({ stdin: { contents, loader: 'css', resolveDir: join(CLIENT, 'style') } });
}

async function bundle(input: Parameters<typeof build>[0]): Promise<string> {
  const { outputFiles } = await build({
    ...input,
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    charset: 'utf8',
    target: TARGET,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
  });
  const text = outputFiles?.[0]?.text;
  if (text === undefined) throw new Error('esbuild made nothing');
  return text.trimEnd();
}
