import { describe, expect, it } from 'vitest';
import { PACK_BYTES, planPacks } from '../../../src/snapshot/packs/pack-plan.js';
import { type PackedContent, planRuns } from '../../../src/snapshot/packs/pack-runs.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A content that lies in one piece, or several, each `[pack, at, length]`. */
function content(path: string, ...pieces: [string, number, number][]): PackedContent {
  const place = pieces.map(([pack, at, length]) => ({ pack, packSize: 64 * MiB, at, length }));
  const size = place.reduce((sum, { length }) => sum + length, 0);
  return { path, size, sha256: path.padStart(64, '0'), place };
}

const told = (contents: readonly PackedContent[]) =>
  planRuns(contents).map(({ pack, at, length, pieces }) => [
    `${pack} ${at}+${length}`,
    pieces.map((piece) => piece.content.path).join(' '),
  ]);

describe('the parts of packs that are read', () => {
  it('are whole where all of them is needed, one for each pack', () => {
    const contents = [
      content('a', ['one', 0, 10]),
      content('c', ['two', 0, 5]),
      content('b', ['one', 10, 20]),
      content('d', ['two', 5, 5]),
    ];
    expect(told(contents)).toEqual([
      ['one 0+30', 'a b'],
      ['two 0+10', 'c d'],
    ]);
  });

  it('have what nobody needs in them while it is little', () => {
    const contents = [content('a', ['one', 0, MiB]), content('b', ['one', MiB + 300 * KiB, MiB])];
    expect(told(contents)).toEqual([[`one 0+${2 * MiB + 300 * KiB}`, 'a b']]);
  });

  it('leave out the largest parts that nobody needs, and never read much more than is needed', () => {
    const contents = [
      content('a', ['one', 0, MiB]),
      content('b', ['one', 4 * MiB, MiB]),
      content('c', ['one', 5 * MiB + 500 * KiB, MiB]),
      content('d', ['two', 0, 10]),
      content('e', ['two', 20 * MiB, 10]),
    ];
    expect(told(contents)).toEqual([
      ['one 0+1048576', 'a'],
      [`one ${4 * MiB}+${2 * MiB + 500 * KiB}`, 'b c'],
      ['two 0+10', 'd'],
      [`two ${20 * MiB}+10`, 'e'],
    ]);
    const needed = contents.reduce((sum, { size }) => sum + size, 0);
    const read = planRuns(contents).reduce((sum, { length }) => sum + length, 0);
    expect(read).toBeLessThanOrEqual(needed * 1.4 + 64 * KiB);
  });

  it('are two where pieces overlap, as those of files that begin alike do', () => {
    const contents = [content('a', ['one', 0, 100]), content('b', ['one', 0, 100], ['two', 0, 7])];
    expect(told(contents)).toEqual([
      ['one 0+100', 'a'],
      ['one 0+100', 'b'],
      ['two 0+7', 'b'],
    ]);
  });

  it('are planned for a hundred thousand files without delay', () => {
    const contents = Array.from({ length: 100_000 }, (_, index) =>
      content(`${index}`, ['one', index * 3, 3]),
    );
    const [run, ...others] = planRuns(contents);
    expect(others).toEqual([]);
    expect(run?.pieces).toHaveLength(100_000);
  });
});

describe('the packs of new contents', () => {
  const file = (path: string, size: number) => ({ path, size, sha256: path.padStart(64, '0') });

  it('are closed when they have their size, and keep tables apart from what changes with every save', () => {
    const tables = Array.from({ length: 9 }, (_, index) => file(`t${index}.ldb`, 2 * MiB));
    const { packs, alone } = planPacks([
      file('a.log', KiB),
      ...tables,
      file('b.log', KiB),
      file('huge', PACK_BYTES + 1),
    ]);
    expect(packs.map((pack) => pack.map(({ path }) => path.slice(-4)))).toEqual([
      ['.ldb', '.ldb', '.ldb', '.ldb'],
      ['.ldb', '.ldb', '.ldb', '.ldb'],
      ['.ldb', '.log', '.log'],
    ]);
    expect(alone.map(({ path }) => path)).toEqual(['huge']);
  });

  it('are no larger than the store takes', () => {
    const { packs, alone } = planPacks(
      [file('a', 600), file('b', 600), file('c', 300), file('d', 2000)],
      1000,
    );
    expect(packs.map((pack) => pack.map(({ path }) => path))).toEqual([['a'], ['b', 'c']]);
    expect(alone.map(({ path }) => path)).toEqual(['d']);
  });

  it('are none for one table alone, and none for nothing', () => {
    expect(planPacks([file('t.ldb', 10)])).toMatchObject({ packs: [], alone: [{ path: 't.ldb' }] });
    expect(planPacks([])).toEqual({ packs: [], alone: [] });
  });
});
