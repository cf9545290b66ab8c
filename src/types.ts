/** `save`: incremental, content-addressed. `backup`: one zip. */
export type SnapshotKind = 'save' | 'backup';

/** `hot`: taken from a running browser. `cold`: taken after an orderly close. */
export type CaptureMode = 'hot' | 'cold';

/**
 * Which profile a snapshot was made for, by its place: two accounts that share a client id by mistake must not get each
 * other's login. JSON-safe.
 */
export interface ProfileIdentity {
  /** Absolute, links resolved, `/` between names. */
  readonly path: string;
  /** Below the bot's own folder (`sessionPath` or the working directory), where it lies there: stays when that moves. */
  readonly relativePath?: string;
}

/** One snapshot as users see it. JSON-safe. */
export interface SnapshotInfo {
  /** Sorts by capture time: `20261123T051409123Z-1a2b3c4d`. */
  readonly id: string;
  readonly kind: SnapshotKind;
  /** Name of the store that holds it: unique in the session, of two with one name the second is `<name>-2`. */
  readonly store: string;
  readonly clientId: string;
  /** The profile it was made for; absent in a zip that another system made. */
  readonly profile?: ProfileIdentity;
  /** The pairing it belongs to. */
  readonly lineage: string;
  /** How many runs of this lineage had reached `ready`. */
  readonly run: number;
  /** When the profile was captured, ISO 8601. */
  readonly createdAt: string;
  /** Bytes of the files in it. */
  readonly sizeBytes: number;
  /** Bytes the store keeps for it (for a save: the objects that this snapshot added). */
  readonly storedBytes: number;
  /** Number of files. */
  readonly files: number;
  readonly capture: CaptureMode;
  /** Whether Local Storage is known to have reached the disk; Chromium writes it only about every 60 s. */
  readonly settled: boolean;
  /** When every byte was last compared with its SHA-256, ISO 8601. */
  readonly verifiedAt?: string;
  /** Whether the phone has logged this pairing out: never restored by itself. */
  readonly revoked: boolean;
  /** Whether its profile was removed while the session ran, or soon after the bot had closed it: not restored by itself, only by `restore()`. */
  readonly held?: true;
  /** Whether a `clear()` at another place has left it: restored by itself at no place but where it was last. */
  readonly heldElsewhere?: true;
  /**
   * Pairings other than this one that began with an `importSession()`, as far as the bot knew when it was taken; absent
   * where there were none. For as long as one snapshot is left, none of them is taken over again unasked.
   */
  readonly imported?: readonly string[];
}

/** A QR or a pairing code that waits to be scanned or typed. A credential: whoever uses it links an account to the bot. */
export interface PendingPairing {
  readonly kind: 'qr' | 'code';
  /** What the QR says, or the code itself. */
  readonly value: string;
  /** When WhatsApp gave it, ISO 8601. */
  readonly receivedAt: string;
}

/** One file of a snapshot. */
export interface SnapshotFile {
  /** Relative to the profile, `/` between names, for example `Default/Local Storage/leveldb/CURRENT`. */
  readonly path: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What a capture knows about the session when it takes a snapshot. */
export interface SnapshotContext {
  readonly clientId: string;
  readonly profile?: ProfileIdentity;
  readonly lineage: string;
  readonly run: number;
  /** A salted, slow hash of the account's id: `scrypt$<salt>$<hash>`, in hex; absent until the account is known. */
  readonly account?: string;
  /** Wall clock at the capture, ISO 8601. */
  readonly createdAt: string;
  readonly capture: CaptureMode;
  readonly settled: boolean;
  /** State of the session when taken, for example `ready`. */
  readonly state: string;
  /** For example `Chrome/156.0.8078.79`; absent when the browser did not say. */
  readonly browserVersion?: string;
  /** Of its IndexedDB, for example `5.16.21` (docs/profile.md); absent where that could not be read. */
  readonly dataVersion?: string;
  /** Other lineages of the client id that began with an import, oldest first; absent where there are none. */
  readonly imported?: readonly string[];
}

/** The manifest inside every snapshot. */
export interface SnapshotManifest extends SnapshotContext {
  readonly format: 1;
  readonly id: string;
  readonly kind: SnapshotKind;
  readonly libraryVersion: string;
  readonly files: readonly SnapshotFile[];
  /** SHA-256 over the canonical list of files: equal contents, equal digest. */
  readonly contentDigest: string;
}

/** What tells an unchanged file without reading it. `ctime` is no use: linking a file changes it. */
export interface FileSignature {
  readonly size: number;
  /** Nanoseconds since 1970, as a decimal string (a bigint does not survive JSON). */
  readonly mtimeNs: string;
  readonly inode: string;
}

/** One file of a captured tree. */
export interface CapturedFile {
  /** Relative to the profile, `/` between names. */
  readonly path: string;
  readonly size: number;
  /** Signature of the *live* file it was taken from. */
  readonly source: FileSignature;
  /** Of the copy, lower-case hex, where it has been read already. */
  readonly sha256?: string;
}

/** A consistent copy of the essential files, in a temporary folder of its own. */
export interface CapturedTree {
  /** Absolute; the files lie below it under their `path`. */
  readonly directory: string;
  readonly files: readonly CapturedFile[];
}

/** One problem of one file, in words that a bot author understands. */
export interface Finding {
  /** Relative to the profile, `/` between names; a folder's where the folder itself is missing. */
  readonly file: string;
  readonly problem: string;
}

/**
 * - `sound`: start from it, save it
 * - `suspect`: structure is whole, but it holds less than the last snapshot did
 * - `corrupt`: a start would show a QR or wipe data
 * - `absent`: no profile, or none that was ever logged in
 * - `foreign`: a browser profile without WhatsApp Web in it
 */
export type SoundnessVerdict = 'sound' | 'suspect' | 'corrupt' | 'absent' | 'foreign';

export interface SoundnessReport {
  readonly verdict: SoundnessVerdict;
  readonly findings: readonly Finding[];
  /** Number and bytes of the essential files seen. */
  readonly files: number;
  readonly bytes: number;
}
