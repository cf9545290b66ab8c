/**
 * A structure of LevelDB that is not what it must be. The only error the readers of this folder throw; the soundness
 * check turns it into a finding, so it never reaches a user.
 */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  /** Name of the file inside the database's folder, once it is known. */
  readonly file: string | undefined;
  constructor(problem: string, file?: string) {
    super(problem);
    this.file = file;
  }
}

/** Runs `read`, and puts the file's name on the damage it meets. */
export function naming<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError && error.file === undefined) throw new DamageError(error.message, file);
    throw error;
  }
}
