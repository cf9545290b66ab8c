/** The process that holds a lease. On the same machine these fields prove whether it is still alive. */
export interface LeaseHolder {
  readonly host: string;
  /**
   * Names the process table in which `pid` is valid (machine, boot, container); absent when the machine does not
   * report it.
   */
  readonly namespace?: string;
  readonly pid: number;
  /** Start time of the process, an opaque text. */
  readonly startTime: string;
  /** Worker thread of that process; 0 is the main one. */
  readonly thread: number;
}

/** The content of a lease file. */
export interface LeaseRecord {
  readonly format: 1;
  /** Identifies this one acquisition. Unique, not secret. */
  readonly token: string;
  readonly holder: LeaseHolder;
  /** Counts the heartbeats. Others watch whether it changes; nobody compares clocks. */
  readonly beat: number;
  /** Wall clock of the last heartbeat, ISO 8601, for people who read the file. */
  readonly at: string;
  /** Whether the holder has released the lease. */
  readonly released: boolean;
  /** The folder in which the holder has created it; absent when its path is too long, and in files of an older version. */
  readonly directory?: string;
}

/** A longer path would not fit into a lease file. */
const MAX_DIRECTORY_BYTES = 400;

/** The folder as it is named in a lease file. */
export function directoryField(directory: string): Pick<LeaseRecord, 'directory'> {
  return Buffer.byteLength(JSON.stringify(directory)) > MAX_DIRECTORY_BYTES ? {} : { directory };
}

/**
 * All lease files have this length, so that a heartbeat overwrites its file in place: this needs no room on a full
 * disk, and can't bring back a file that the next owner has removed.
 */
const RECORD_BYTES = 1024;
/** Larger than any lease file. */
export const MAX_RECORD_BYTES = 4 * RECORD_BYTES;

/** The bytes of a lease file. */
export function encodeRecord(record: LeaseRecord): Buffer {
  const holder = { ...record.holder, host: record.holder.host.slice(0, 253) };
  return Buffer.from(`${JSON.stringify({ ...record, holder }).padEnd(RECORD_BYTES - 1)}\n`);
}

/** Reads a lease file; `undefined` when it is empty, torn, or of another format. */
export function decodeRecord(text: string): LeaseRecord | undefined {
  const value = parse(text);
  if (!isObject(value) || value.format !== 1) return undefined;
  const { token, holder, beat, at, released, directory } = value;
  if (typeof token !== 'string' || !Number.isInteger(beat) || typeof at !== 'string') return undefined;
  if (typeof released !== 'boolean' || !isLeaseHolder(holder)) return undefined;
  return {
    ...{ format: 1, token, holder, beat: Number(beat), at, released },
    ...(typeof directory === 'string' && { directory }),
  };
}

/** `<clientId>.<generation>.lease` */
export function leaseFileName(clientId: string, generation: number): string {
  return `${clientId}.${generation}.lease`;
}

/** The generation in the name of a lease file of this client; `undefined` for every other file. */
export function generationOf(fileName: string, clientId: string): number | undefined {
  const [prefix, suffix] = [`${clientId}.`, '.lease'];
  if (!fileName.startsWith(prefix) || !fileName.endsWith(suffix)) return undefined;
  const digits = fileName.slice(prefix.length, -suffix.length);
  const generation = Number(digits);
  return /^[1-9]\d*$/.test(digits) && Number.isSafeInteger(generation + 1) ? generation : undefined;
}

export function isLeaseHolder(value: unknown): value is LeaseHolder {
  return (
    isObject(value) &&
    typeof value.host === 'string' &&
    (value.namespace === undefined || typeof value.namespace === 'string') &&
    Number.isInteger(value.pid) &&
    typeof value.startTime === 'string' &&
    Number.isInteger(value.thread)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
