import type { Finding } from '../../types.js';

/**
 * A finding with its weight. `corrupt`: a start would show a QR or wipe data. `suspect`: it would start, but holds
 * less than it did or should.
 */
export interface Problem extends Finding {
  readonly weight: 'corrupt' | 'suspect';
}

/** What one half of the login turned out to be. */
export interface HalfReport {
  readonly problems: readonly Problem[];
  /** Whether anything of web.whatsapp.com is in it; `undefined` where that was not, or could not be, found out. */
  readonly holdsWhatsApp: boolean | undefined;
  /** Whether it is whole, and holds no data of anybody. */
  readonly empty: boolean;
  /** Folder of a LevelDB to the log number in its MANIFEST; absent when that could not be read. */
  readonly logNumbers?: ReadonlyMap<string, number>;
}

export function corrupt(file: string, problem: string): Problem {
  return { file, problem, weight: 'corrupt' };
}

export function suspect(file: string, problem: string): Problem {
  return { file, problem, weight: 'suspect' };
}
