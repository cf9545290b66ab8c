import type { SweepResult } from '../repository.js';

const NOTHING: SweepResult = { freedBytes: 0, files: 0 };

/** What several sweeps have freed together. */
export function sumOf(swept: readonly (SweepResult | undefined)[]): SweepResult {
  return swept.reduce<SweepResult>(
    (sum, { freedBytes, files } = NOTHING) => ({
      freedBytes: sum.freedBytes + freedBytes,
      files: sum.files + files,
    }),
    NOTHING,
  );
}
