/** `save`: incremental, content-addressed. `backup`: one zip. */
export type SnapshotKind = 'save' | 'backup';

/** `hot`: taken from a running browser. `cold`: taken after an orderly close. */
export type CaptureMode = 'hot' | 'cold';

/**
 * Identifies by its path the profile that a snapshot was made for: two accounts that share a client id by mistake must not
 * get each other's login. JSON-safe.
 */
export interface ProfileIdentity {
  /** Absolute path with symbolic links resolved, `/` between names. */
  readonly path: string;
  /** Path relative to the bot's folder (`sessionPath` or the working directory), if inside it: stays when that folder moves. */
  readonly relativePath?: string;
}

/** One snapshot as users see it. JSON-safe. */
export interface SnapshotInfo {
  /** For example `20261123T051409123Z-1a2b3c4d`; ids sort by the time of capture. */
  readonly id: string;
  readonly kind: SnapshotKind;
  /** Name of the store that holds it, unique in the session: a second store with the same name is called `<name>-2`. */
  readonly store: string;
  readonly clientId: string;
  /** The profile it was made for; absent for a zip that another system made. */
  readonly profile?: ProfileIdentity;
  /** The pairing it belongs to. */
  readonly lineage: string;
  /** How many runs of this lineage had reached `ready`. */
  readonly run: number;
  /** When the profile was captured, ISO 8601. */
  readonly createdAt: string;
  /** Total size of its files, bytes. */
  readonly sizeBytes: number;
  /** Bytes the store keeps for it; for a save, only the objects that this snapshot added. */
  readonly storedBytes: number;
  /** Number of files. */
  readonly files: number;
  readonly capture: CaptureMode;
  /** Whether Chromium had surely written Local Storage to the disk, which it does only about every 60 s. */
  readonly settled: boolean;
  /** When every byte was last compared with its SHA-256, ISO 8601. */
  readonly verifiedAt?: string;
  /** Whether the phone has logged this pairing out. Such a snapshot is never restored automatically. */
  readonly revoked: boolean;
  /**
   * Set when its profile was removed while the session ran, or soon after the bot had closed the session, or when a later
   * login has replaced it, or when it lives on under another client id. Such a snapshot is not restored automatically, only
   * by `restore()`.
   */
  readonly held?: true;
  /**
   * Set when a `clear()` at another place has left it, or another login has replaced it. It is restored automatically only
   * at the place where it was used last.
   */
  readonly heldElsewhere?: true;
  /**
   * Other pairings that began with an `importSession()`, as far as the bot knew when the snapshot was taken; absent when
   * there were none. As long as one snapshot is left, none of these pairings is imported again automatically.
   */
  readonly imported?: readonly string[];
}

/** A QR or pairing code that waits to be scanned or typed. It is a credential: whoever uses it links an account to the bot. */
export interface PendingPairing {
  readonly kind: 'qr' | 'code';
  /** The text of the QR, or the pairing code itself. */
  readonly value: string;
  /** When it was received from WhatsApp, ISO 8601. */
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

/** So many bytes (`length`) of `files[file]`, beginning with its byte `from`, are the bytes of a pack from `at` on. */
export type PackedPiece = readonly [file: number, from: number, at: number, length: number];

/** A pack, one object with many contents in it, and what of a snapshot lies there. */
export interface PackedFiles {
  /** SHA-256 of all bytes of the pack, lower-case hex; also its name. */
  readonly sha256: string;
  readonly size: number;
  readonly pieces: readonly PackedPiece[];
}

/** What is known about the session when a snapshot is taken. */
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
  /** State of the session at the capture, for example `ready`. */
  readonly state: string;
  /** For example `Chrome/156.0.8078.79`; absent when the browser did not tell its version. */
  readonly browserVersion?: string;
  /** Data version of its IndexedDB, for example `5.16.21` (docs/profile.md); absent when it could not be read. */
  readonly dataVersion?: string;
  /** Other lineages of the client id that began with an import, oldest first; absent when there are none. */
  readonly imported?: readonly string[];
  /** The fencing number of the lease under which it was taken: of two owners, the later one has the higher. */
  readonly generation?: number;
}

/** The manifest inside every snapshot. */
export interface SnapshotManifest extends SnapshotContext {
  readonly format: 1;
  readonly id: string;
  readonly kind: SnapshotKind;
  readonly libraryVersion: string;
  readonly files: readonly SnapshotFile[];
  /** Where those files lie that have no object of their own; only in a save, and absent if there are none. */
  readonly packs?: readonly PackedFiles[];
  /** SHA-256 of the canonical list of files: two snapshots with equal contents have equal digests. */
  readonly contentDigest: string;
}

/** Shows that a file is unchanged without reading it. `ctime` is not part of it, because a hard link changes it. */
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
  /** Signature of the *live* file that it was copied from. */
  readonly source: FileSignature;
  /** SHA-256 of the copy, lower-case hex; absent while the copy has not been read. */
  readonly sha256?: string;
}

/** A consistent copy of the essential files, in a temporary folder of its own. */
export interface CapturedTree {
  /** Absolute path; each file lies below it at its `path`. */
  readonly directory: string;
  readonly files: readonly CapturedFile[];
}

/** One problem of one file, worded for the author of a bot. */
export interface Finding {
  /** Path relative to the profile, `/` between names; the path of a folder when the folder itself is missing. */
  readonly file: string;
  readonly problem: string;
}

/**
 * Whether a profile can be started and saved:
 * - `sound`: it can be started and saved
 * - `suspect`: its structure is intact, but it holds less than the last snapshot did
 * - `corrupt`: a start would show a QR or delete data
 * - `absent`: there is no profile, or it was never logged in
 * - `foreign`: a browser profile without WhatsApp Web in it
 */
export type SoundnessVerdict = 'sound' | 'suspect' | 'corrupt' | 'absent' | 'foreign';

export interface SoundnessReport {
  readonly verdict: SoundnessVerdict;
  readonly findings: readonly Finding[];
  /** Number of the essential files that were seen, and their total bytes. */
  readonly files: number;
  readonly bytes: number;
}
