/**
 * Thrown when a structure of LevelDB is damaged. It is the only error that the readers of this folder throw themselves. The
 * soundness check turns it into a finding, so it never reaches a user.
 */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  /** Name of the file in the database's folder, once known. */
  readonly file: string | undefined;
  constructor(problem: string, file?: string) {
    super(problem);
    this.file = file;
  }
}

/** Runs `read`, and adds the file's name to a {@link DamageError} that it throws. */
export function naming<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError && error.file === undefined) throw new DamageError(error.message, file);
    throw error;
  }
}
