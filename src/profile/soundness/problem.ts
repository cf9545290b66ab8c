import type { Finding } from '../../types.js';

/**
 * A finding with its weight. `corrupt`: a start would show a QR or delete data. `suspect`: the profile would start, but holds
 * less than it did or should.
 */
export interface Problem extends Finding {
  readonly weight: 'corrupt' | 'suspect';
}

/** The result of checking one half of the login. */
export interface HalfReport {
  readonly problems: readonly Problem[];
  /** Whether it has any data of web.whatsapp.com; `undefined` if that was not checked or can't be found out. */
  readonly holdsWhatsApp: boolean | undefined;
  /** Whether it is intact and holds no data of any site. */
  readonly empty: boolean;
  /** The log number in the MANIFEST of each LevelDB, by its folder; absent when that could not be read. */
  readonly logNumbers?: ReadonlyMap<string, number>;
}

export function corrupt(file: string, problem: string): Problem {
  return { file, problem, weight: 'corrupt' };
}

export function suspect(file: string, problem: string): Problem {
  return { file, problem, weight: 'suspect' };
}
