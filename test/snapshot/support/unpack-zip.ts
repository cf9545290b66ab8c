import { expect } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/snapshot/manifest/limits.js';
import { importZipTask } from '../../../src/snapshot/zip/import-zip.js';
import { asText, type Files, LEVELDB, World } from './world.js';

/** The essential files of a login. */
export const LOGIN: Files = {
  [`${LEVELDB}/CURRENT`]: 'MANIFEST-000001\n',
  [`${LEVELDB}/000005.ldb`]: 'T'.repeat(400),
  'Default/Local Storage/leveldb/000003.log': 'WANoiseInfo',
};

/** What lies on the disk when {@link LOGIN} was unpacked. */
export const UNPACKED = Object.fromEntries(
  Object.entries(asText(LOGIN)).map(([path, text]) => [`box/out/${path}`, text]),
);

/** Unpacks a zip; the folder beside it shows whether anything was written elsewhere. */
export async function unpack(zip: Uint8Array, limits = DEFAULT_LIMITS) {
  const world = new World();
  await world.fs.promises.mkdir('/box');
  await world.fs.promises.writeFile('/box/evil.zip', zip);
  const outcome = await world.runner
    .run(importZipTask, { path: '/box/evil.zip', directory: '/box/out', limits })
    .then(
      () => 'unpacked' as const,
      (error: Error & { code?: string }) => error,
    );
  const all = (await world.read('/')) ?? {};
  delete all['box/evil.zip'];
  return { outcome, all };
}

/** Nothing is unpacked, nothing is left, and the error says why. */
export async function expectRefused(
  zip: Uint8Array,
  code: string,
  named: string | RegExp,
  limits = DEFAULT_LIMITS,
): Promise<void> {
  const { outcome, all } = await unpack(zip, limits);
  expect(outcome).toMatchObject({ code });
  expect(String(outcome)).toMatch(named);
  expect(all).toEqual({});
}
