import type { ProfileMark } from '../../profile/profile-mark.js';

/**
 * What is known of the profile that the running session uses. A person may have put another one in its place, whose fate is not
 * that of the login that the record names.
 */
export class ProfileInPlace {
  /** The folder, as it was when the session began to use it. */
  mark: ProfileMark | undefined;
  /** Its databases, as the browser has opened them; `undefined` before it has. */
  databases: string | undefined;
  /** Whether the profile is known to be the one that the record describes. */
  isProven = true;
  /** Whether another one lies there now than the session uses. */
  isExchanged = false;

  /** Whether what happens to the profile that lies there happens to the login that the record names. */
  get isOfRecord(): boolean {
    return this.isProven && !this.isExchanged;
  }

  /** Call when it is known which profile this is. */
  begin(
    mark: ProfileMark | undefined,
    { isProven, databases }: { readonly isProven: boolean; readonly databases?: string | undefined },
  ): void {
    this.mark = mark;
    this.databases = databases;
    this.isProven = isProven;
    this.isExchanged = false;
  }
}
