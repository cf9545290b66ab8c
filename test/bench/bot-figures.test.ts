import { describe, expect, it } from 'vitest';
import type { BotSample, BotSide } from '../../bench/children/bot-at-work.js';
import { type BotFigures, botVerdicts } from '../../bench/support/bot-figures.js';

const sample = (some: Partial<BotSample> = {}): BotSample => ({
  sinceMs: 60_000,
  cpuMs: 1000,
  mainCpuMs: 1000,
  busyMs: 1000,
  writtenBytes: 0,
  rssBytes: 60e6,
  ...some,
});

const bot = (...samples: readonly BotSample[]): BotFigures => ({
  readyMs: 1000,
  samples,
  pageBytes: 0,
  events: {},
});

const verdict = (name: string, ours: BotFigures, others: Partial<Record<BotSide, BotFigures>> = {}) =>
  botVerdicts({
    plain: bot(sample()),
    remoteAuth: bot(sample({ cpuMs: 11_000, busyMs: 6000, writtenBytes: 1e9 })),
    saves: bot(sample({ cpuMs: 1400 })),
    ...others,
    ours,
  }).find((row) => row.name === name);

describe('the verdict on a bot beside others', () => {
  it('is what it costs beyond the plain one, as a share of what RemoteAuth costs beyond it', () => {
    expect(verdict('CPU, s', bot(sample({ cpuMs: 1800 })))).toEqual({
      name: 'CPU, s',
      cells: ['1.00', '1.80', '1.40', '11.00'],
      beyond: '0.080',
      savesBeyond: '0.040',
      target: '<= 0.08',
      met: true,
    });
    expect(verdict('CPU, s', bot(sample({ cpuMs: 1810 })))).toMatchObject({ beyond: '0.081', met: false });
    expect(verdict('main thread busy, s', bot(sample({ busyMs: 1500 })))).toMatchObject({ met: false });
    expect(verdict('written, MB', bot(sample({ writtenBytes: 31e6 })))).toMatchObject({ met: false });
  });

  it('is met by one that costs no more than the plain one', () => {
    expect(verdict('CPU, s', bot(sample({ cpuMs: 900 })))).toMatchObject({ met: true });
  });

  it('takes the median of the second half of what is resident', () => {
    const row = (...megabytes: readonly number[]) =>
      verdict('resident, MB', bot(...megabytes.map((mb) => sample({ rssBytes: mb * 1e6 }))));
    expect(row(200, 200, 200, 75, 70, 90)).toMatchObject({ beyond: '+15 MB', met: true });
    expect(row(60, 60, 60, 76)).toMatchObject({ met: true });
    expect(row(60, 60, 76, 76)).toMatchObject({ beyond: '+16 MB', target: '<= +15 MB', met: false });
  });

  it('tells what is left after the first half minute, without a target', () => {
    const ours = bot(
      sample({ sinceMs: 30_000, cpuMs: 900 }),
      sample({ sinceMs: 31_000, cpuMs: 1500 }),
      sample({ cpuMs: 1700 }),
    );
    const plain = bot(sample({ sinceMs: 31_000, cpuMs: 900 }), sample());
    const remoteAuth = bot(sample({ sinceMs: 31_000, cpuMs: 900 }), sample({ cpuMs: 2000 }));
    expect(verdict('CPU from 30 s after ready on, s', ours, { plain, saves: ours, remoteAuth })).toEqual({
      name: 'CPU from 30 s after ready on, s',
      cells: ['0.10', '0.20', '0.20', '1.10'],
      beyond: '0.100',
      savesBeyond: '0.100',
      target: '',
      met: true,
    });
  });

  it('does not pass where a system does not tell', () => {
    expect(verdict('written, MB', bot(sample({ writtenBytes: null })))).toMatchObject({ met: false });
  });
});
