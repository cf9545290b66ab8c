import { readFileSync, writeFileSync } from 'node:fs';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['plugins']>[number];

/** A name that nothing else in the build has. */
const KEPT = '__importOfAnEsModule__';

/**
 * Keeps `import()` of a package in the CommonJS build. tsup makes a `require()` of it, which node below 20.19 refuses for
 * a package of ES modules.
 */
export function keepImport(name: string): Plugin {
  return {
    name: 'keep-import',
    renderChunk(code) {
      if (this.format !== 'cjs') return undefined;
      return { code: code.replaceAll(`import("${name}")`, `${KEPT}("${name}")`) };
    },
    buildEnd({ writtenFiles }) {
      for (const { name: file } of writtenFiles.filter((written) => written.name.endsWith('.cjs'))) {
        const code = readFileSync(file, 'utf8');
        if (code.includes(KEPT)) writeFileSync(file, code.replaceAll(KEPT, 'import'));
      }
    },
  };
}
