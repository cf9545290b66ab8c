import { describe, expect, it } from 'vitest';
import type { Operation } from '../../bench/support/operations.js';
import { isFlat, verdictOn } from '../../bench/support/targets.js';
import { figures } from './reports.js';

const wall = (operation: Operation, megabytes: number, ratio: number) =>
  verdictOn('wallMs', operation, megabytes, {
    remoteAuth: figures({ wallMs: 1000 * ratio }),
    ours: figures({ wallMs: 1000 }),
  });

describe('the verdict on a figure', () => {
  it.each<[Operation, number, number]>([
    ['first force-save', 20, 6],
    ['first force-save', 500, 6],
    ['force-save, nothing changed', 20, 100],
    ['force-save, nothing changed', 100, 250],
    ['force-save, nothing changed', 500, 500],
    ['force-save after 1 MB', 20, 30],
    ['force-save after 1 MB', 100, 80],
    ['force-save after 1 MB', 500, 250],
    ['backup, cold', 100, 4],
    ['backup after 1 MB', 100, 4],
    ['backup, nothing changed', 20, 100],
    ['restore from a save', 20, 6],
    ['restore from a zip', 20, 3],
    ['initialize, sound profile', 20, 2.5],
    ['initialize, no profile', 20, 2.5],
  ])('of the wall time of %s at %d MB wants at least %d', (operation, megabytes, wanted) => {
    expect(wall(operation, megabytes, wanted)).toEqual({
      metric: 'wallMs',
      ratio: wanted,
      target: `>= ${wanted}`,
      met: true,
    });
    expect(wall(operation, megabytes, wanted * 0.99).met).toBe(false);
  });

  it('takes the target of the nearest size', () => {
    const targets = [1, 44, 45, 200, 223, 230, 2000].map(
      (megabytes) => wall('force-save, nothing changed', megabytes, 1).target,
    );
    expect(targets).toEqual(['>= 100', '>= 100', '>= 250', '>= 250', '>= 250', '>= 500', '>= 500']);
  });

  it('wants the main thread at most a fiftieth as busy, whatever is done', () => {
    const busy = (ours: number) =>
      verdictOn('busyMs', 'restore from a zip', 20, {
        remoteAuth: figures({ busyMs: 100 }),
        ours: figures({ busyMs: ours }),
      });
    expect(busy(2)).toMatchObject({ target: '>= 50', met: true });
    expect(busy(2.1).met).toBe(false);
    const sides = { remoteAuth: figures({ mainCpuMs: 100 }), ours: figures({ mainCpuMs: 2.1 }) };
    expect(verdictOn('mainCpuMs', 'backup, cold', 20, sides)).toMatchObject({ target: '>= 50', met: false });
  });

  it('wants 40 % less memory of saves and restores', () => {
    const memory = (operation: Operation, ours: number) =>
      verdictOn('rssBytes', operation, 20, {
        remoteAuth: figures({ rssBytes: 100e6 }),
        ours: figures({ rssBytes: ours }),
      });
    expect(memory('first force-save', 60e6)).toMatchObject({ target: '>= 1.67', met: true });
    expect(memory('restore from a save', 61e6).met).toBe(false);
    expect(memory('initialize, no profile', 100e6)).toMatchObject({ target: '', met: true });
  });

  it("wants a small zip to be no larger than RemoteAuth's, but for the manifest in it", () => {
    const kept = (operation: Operation, ours: number) =>
      verdictOn('keptBytes', operation, 20, {
        remoteAuth: figures({ keptBytes: 20e6 }),
        ours: figures({ keptBytes: ours }),
      });
    expect(kept('backup, small', 20.02e6)).toMatchObject({ target: '>= 1', met: true });
    expect(kept('backup, small', 20.03e6).met).toBe(false);
    expect(kept('backup, cold', 30e6)).toMatchObject({ target: '', met: true });
  });

  it('wants under 0.1 MB written when nothing changed, and 8 times less after traffic', () => {
    const written = (operation: Operation, ours: number) =>
      verdictOn('writtenBytes', operation, 20, {
        remoteAuth: figures({ writtenBytes: 40e6 }),
        ours: figures({ writtenBytes: ours }),
      });
    expect(written('force-save, nothing changed', 100_000)).toMatchObject({ target: '<= 0.1 MB', met: true });
    expect(written('backup, nothing changed', 100_001).met).toBe(false);
    expect(written('force-save after 1 MB', 5e6)).toMatchObject({ target: '>= 8', met: true });
    expect(written('force-save after 1 MB', 5.1e6).met).toBe(false);
    expect(written('first force-save', 1e9)).toMatchObject({ target: '', met: true });
  });

  it('wants nothing of CPU and of what is kept', () => {
    const sides = { remoteAuth: figures(), ours: figures({ cpuMs: 1000, keptBytes: null }) };
    expect(verdictOn('cpuMs', 'backup, cold', 20, sides)).toMatchObject({
      ratio: 0.1,
      target: '',
      met: true,
    });
    expect(verdictOn('keptBytes', 'backup, cold', 20, sides)).toMatchObject({ ratio: undefined, met: true });
  });
});

describe('memory', () => {
  it('is flat while the largest profile takes little more than the smallest', () => {
    expect(isFlat([10e6, 30e6, 18e6])).toBe(true);
    expect(isFlat([10e6, 18.1e6])).toBe(false);
    expect(isFlat([])).toBe(true);
  });
});
