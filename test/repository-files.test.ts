import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

describe('package.json', () => {
  const manifest = JSON.parse(read('package.json'));

  it('takes runtime dependencies by ranges, so that a bot gets no second copy of one that it has', () => {
    for (const [name, range] of Object.entries(manifest.dependencies))
      expect(`${name} ${range}`).toMatch(/ \^\d/);
  });

  it('is in step with package-lock.json, which has no download addresses', () => {
    const lock = JSON.parse(read('package-lock.json'));
    expect(lock.packages['']).toMatchObject({
      version: manifest.version,
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
      peerDependencies: manifest.peerDependencies,
    });
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });

  it('has addresses that CONTRIBUTING.md calls placeholders', () => {
    const { homepage, bugs, repository } = manifest;
    const [, section = ''] = read('CONTRIBUTING.md').split('## Placeholders');
    for (const address of [homepage, bugs, repository.url]) expect(section).toContain(`\`${address}\``);
  });
});

describe('.editorconfig', () => {
  it('says what biome.json says', () => {
    const { formatter } = JSON.parse(read('biome.json'));
    const config = read('.editorconfig');
    expect(config).toContain(`indent_style = ${formatter.indentStyle}\n`);
    expect(config).toContain(`indent_size = ${formatter.indentWidth}\n`);
    expect(config).toContain(`max_line_length = ${formatter.lineWidth}\n`);
  });
});

describe('the workflow', () => {
  it('runs .ci/run and no checks of its own', () => {
    const { jobs } = parse(read('.github/workflows/ci.yml'));
    const steps = Object.values<{ steps: { run?: string }[] }>(jobs).flatMap((job) => job.steps);
    expect(steps.flatMap(({ run }) => run ?? [])).toEqual(['.ci/run']);
  });
});
