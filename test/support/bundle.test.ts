import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { bundle } from './bundle.js';

/** A folder with two programs that share a list, to which each adds its word. */
function programs(word: string): readonly [string, string] {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'shared.ts'), 'export const list: string[] = [];');
  const of = (name: string) => {
    const path = join(folder, `${name}.ts`);
    writeFileSync(path, `import { list } from './shared.js'; list.push('${name} ${word}'); export { list };`);
    return path;
  };
  return [of('one'), of('other')];
}

/** Leaves nothing of a test's own bundle behind. */
function bundleForNow(...files: readonly [string, string]): readonly [string, string] {
  const made = bundle(...files);
  onTestFinished(() => rmSync(dirname(made[0]), { recursive: true }));
  return made;
}

const load = async (path: string) => ((await import(pathToFileURL(path).href)) as { list: string[] }).list;

it('bundles files for one process, where what they share is one module', async () => {
  const [one, other] = bundleForNow(...programs('says'));
  expect(await load(one)).toBe(await load(other));
  expect(await load(one)).toEqual(['one says', 'other says']);
});

it('never gives an outdated bundle', async () => {
  const [before] = bundleForNow(...programs('before'));
  const [after] = bundleForNow(...programs('after'));
  expect(after).not.toBe(before);
  expect(await load(after)).toContain('one after');
});
