import { describe, expect, it } from 'vitest';
import { serializeManifest } from '../../../src/snapshot/manifest/manifest.js';
import type { PackedFiles, PackedPiece } from '../../../src/types.js';
import { asText, LEVELDB } from '../support/world.js';
import { bytesOf, Packed, profileOf, table } from './pack-world.js';

const KiB = 1024;
const LOG = `${LEVELDB}/000900.log`;

describe('a manifest that lies about its packs', () => {
  /** The manifest of a snapshot, changed and put in its place with a right checksum. */
  async function lie(saves: Packed, id: string, change: (pack: PackedFiles) => PackedFiles): Promise<void> {
    const manifest = await saves.repository.manifest(id);
    const [pack, ...others] = manifest.packs ?? [];
    if (pack === undefined) throw new Error('it has no pack');
    const bytes = serializeManifest({ ...manifest, packs: [change(pack), ...others] });
    saves.store.set(`shop/snapshots/${id}.json`, bytes);
    saves.reopen();
  }

  it.each<[string, (pack: PackedFiles) => PackedFiles, string]>([
    [
      'where its files lie',
      ({ pieces, ...pack }) => ({ ...pack, pieces: swapped(pieces, pack.size) }),
      'SNAPSHOT_CORRUPT',
    ],
    ['which pack it is', (pack) => ({ ...pack, sha256: 'c'.repeat(64) }), 'SNAPSHOT_CORRUPT'],
    [
      'how large a pack is',
      (pack) => ({ ...pack, size: pack.size + 1000, pieces: behind(pack.pieces) }),
      'SNAPSHOT_CORRUPT',
    ],
  ])('%s, restores nothing, and costs no other snapshot', async (_, change, code) => {
    const saves = new Packed();
    const files = profileOf(4, 10 * KiB);
    const first = await saves.save(files);
    const second = await saves.save({
      ...files,
      [LOG]: bytesOf(1, 6 * KiB),
      [table(7)]: bytesOf(7, 9 * KiB),
    });
    await lie(saves, second.id, change);
    await expect(saves.restored(second.id)).rejects.toMatchObject({ code });
    expect(await saves.world.read('/out')).toBeUndefined();
    expect(await saves.failing()).toEqual([second.id]);
    expect(await saves.restored(first.id)).toEqual(asText(files));
    const next = { ...files, [LOG]: bytesOf(2, 6 * KiB) };
    const third = await saves.save(next);
    expect(await saves.restored(third.id)).toEqual(asText(next));
  });

  function swapped(pieces: readonly PackedPiece[], size: number): readonly PackedPiece[] {
    return pieces.map(([file, from, at, length]) => [file, from, size - at - length, length]);
  }

  function behind(pieces: readonly PackedPiece[]): readonly PackedPiece[] {
    return pieces.map(([file, from, at, length]) => [file, from, at + 1000, length]);
  }
});
