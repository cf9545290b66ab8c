import { readFileSync, writeFileSync } from 'node:fs';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['plugins']>[number];

/** The beginning of an `import()` that bundlers are told not to follow. */
const IGNORED = /\bimport\((?=\s*\/\* webpackIgnore: true \*\/)/g;
/** A name that nothing else in the build has. */
const KEPT = '__importOfAnEsModule__';

/**
 * Keeps `import()` of a package in the CommonJS build, and each one that bundlers are told not to follow. tsup makes a
 * `require()` of it, which node below 20.19 refuses for a package of ES modules, and which webpack follows all the same.
 */
export function keepImport(name: string): Plugin {
  return {
    name: 'keep-import',
    renderChunk(code) {
      if (this.format !== 'cjs') return undefined;
      const kept = code.replaceAll(`import("${name}")`, `${KEPT}("${name}")`);
      return { code: kept.replaceAll(IGNORED, `${KEPT}(`) };
    },
    buildEnd({ writtenFiles }) {
      for (const { name: file } of writtenFiles.filter((written) => written.name.endsWith('.cjs'))) {
        const code = readFileSync(file, 'utf8');
        if (code.includes(KEPT)) writeFileSync(file, code.replaceAll(KEPT, 'import'));
      }
    },
  };
}
