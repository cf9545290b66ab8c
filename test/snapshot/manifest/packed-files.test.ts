import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type SnapshotLimits } from '../../../src/snapshot/manifest/limits.js';
import {
  buildManifest,
  parseManifest,
  serializeManifest,
  withPacks,
} from '../../../src/snapshot/manifest/manifest.js';
import type { PackedFiles, PackedPiece, SnapshotManifest } from '../../../src/types.js';

const CONTEXT = {
  clientId: 'shop',
  lineage: 'lineage-1',
  run: 1,
  createdAt: '2026-11-23T05:14:09.123Z',
  capture: 'hot',
  settled: true,
  state: 'ready',
} as const;
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const FILES = [
  { path: 'Default/a', size: 10, sha256: '1'.repeat(64) },
  { path: 'Default/b', size: 4, sha256: '2'.repeat(64) },
];
const GOOD: readonly PackedFiles[] = [
  { sha256: A, size: 20, pieces: [[0, 0, 2, 6]] },
  {
    sha256: B,
    size: 8,
    pieces: [
      [0, 6, 0, 4],
      [1, 0, 4, 4],
    ],
  },
];

function bytesWith(packs: unknown, kind: 'save' | 'backup' = 'save'): Uint8Array {
  const manifest = { ...buildManifest(kind, CONTEXT, FILES), packs };
  const { files, ...head } = manifest;
  return serializeManifest({ ...head, files } as SnapshotManifest);
}

const onePack = (...pieces: unknown[]) => [{ sha256: A, size: 20, pieces }];

describe('the packs of a manifest', () => {
  it('come back as they were written, and are absent where there are none', () => {
    const manifest = withPacks(buildManifest('save', CONTEXT, FILES), GOOD);
    expect(parseManifest(serializeManifest(manifest))).toEqual(manifest);
    expect(manifest.packs).toEqual(GOOD);
    expect(withPacks(buildManifest('save', CONTEXT, FILES), [])).not.toHaveProperty('packs');
    expect(() => parseManifest(bytesWith(GOOD))).not.toThrow();
  });

  const HUGE = Number.MAX_SAFE_INTEGER;
  it.each<[string, unknown]>([
    ['no list', {}],
    ['an empty list', []],
    ['no pack', [7]],
    ['a pack with a field more', [{ ...GOOD[0], more: 1 }]],
    ['a pack without pieces', [{ sha256: A, size: 20, pieces: [] }]],
    ['a name that is a path', [{ ...GOOD[0], sha256: '../../etc/passwd' }]],
    ['the same pack twice', [GOOD[0], { ...GOOD[1], sha256: A }]],
    ['a size that is none', [{ ...GOOD[0], size: -1 }]],
    ['a size beyond every pack', [{ ...GOOD[0], size: 2 ** 40 }]],
    ['a piece of three numbers', onePack([0, 0, 2])],
    ['a piece of text', onePack([0, 0, 2, '6'])],
    ['a fraction', onePack([0, 0, 2.5, 10])],
    ['a piece of no file', onePack([2, 0, 0, 4])],
    ['an empty piece', onePack([0, 0, 0, 10], [1, 0, 10, 0])],
    ['a piece beyond its pack', onePack([0, 0, 11, 10])],
    ['a piece at the end of all numbers', onePack([0, 0, HUGE, 10])],
    ['a length beyond all numbers', onePack([0, 0, 0, HUGE + 1])],
    ['a piece beyond its file', onePack([1, 1, 0, 4])],
    ['a piece that begins beyond its file', onePack([1, HUGE, 0, 4])],
    ['a file without its end', onePack([0, 0, 0, 9])],
    ['a file without its beginning', onePack([0, 1, 0, 9])],
    ['a file with a hole', onePack([0, 0, 0, 4], [0, 5, 4, 5])],
    ['a file with a part twice', onePack([0, 0, 0, 6], [0, 4, 6, 6])],
  ])('are refused: %s', (_, packs) => {
    expect(() => parseManifest(bytesWith(packs))).toThrow(
      expect.objectContaining({
        code: 'SNAPSHOT_CORRUPT',
        message: expect.stringContaining('packs') as string,
      }),
    );
  });

  it('are refused in a backup', () => {
    expect(() => parseManifest(bytesWith(GOOD, 'backup'))).toThrow(/only a save/);
  });

  it.each<[string, Partial<SnapshotLimits>]>([
    ['packs', { maxPacks: 1 }],
    ['pieces', { maxPieces: 1 }],
    ['bytes in pieces', { maxPiecedBytes: 9 }],
  ])('are refused where there are more %s than are accepted', (_, limits) => {
    const bytes = bytesWith(GOOD);
    expect(() => parseManifest(bytes, { ...DEFAULT_LIMITS, ...limits })).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_UNSAFE' }),
    );
  });

  it('may have thousands of pieces', () => {
    const files = Array.from({ length: 20_000 }, (_, index) => ({
      path: `Default/${index}`,
      size: 3,
      sha256: index.toString(16).padStart(64, '0'),
    }));
    const manifest = buildManifest('save', CONTEXT, files);
    const pieces = manifest.files.map((_, index): PackedPiece => [index, 0, index * 3, 3]);
    const packed = withPacks(manifest, [{ sha256: A, size: 60_000, pieces }]);
    expect(parseManifest(serializeManifest(packed))).toEqual(packed);
  });
});
