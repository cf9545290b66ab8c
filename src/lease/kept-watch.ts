import { createHash } from 'node:crypto';
import { type Clock, withDeadline } from '../clock.js';
import { StallDetector } from './stall-detector.js';
import { FILES_DEADLINE_MS } from './timing.js';

/** What was watched, as one process that waits leaves it to the next. */
export interface WatchNote {
  readonly format: 1;
  /** The digest of what stood still: it holds the token and the beat of the owner, so no other state has the same. */
  readonly state: string;
  /** For how long it was seen to stand still, ms. */
  readonly watchedMs: number;
}

/** Where the note lies: a file beside the lease, or an object. */
export interface NotePlace {
  /** The note as it was read; `undefined` where there is none. */
  readonly read: (signal: AbortSignal) => Promise<unknown>;
  readonly write: (note: WatchNote, signal: AbortSignal) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export interface KeptWatchParts {
  readonly clock: Clock;
  /** For how long the text must stand still, ms. */
  readonly neededMs: number;
  readonly lookEveryMs: number;
  /** What stands still for less is not noted, ms: a live owner mostly changes it before. */
  readonly firstNoteMs: number;
  /** How often it is noted, ms of watching. */
  readonly noteEveryMs: number;
  /** Absent where a text may come back that has stood there before. */
  readonly place?: NotePlace | undefined;
}

/**
 * So much each process watches itself, whatever is noted, ms. An owner that lives shows itself to everybody who waits, also
 * where a folder was brought back from an older copy together with its note.
 */
const OWN_WATCH_MS = 10_000;

/**
 * Watches a text that its live owner keeps changing, like {@link StallDetector}, and keeps what was watched: a platform that
 * kills each starting container before the time is over would else begin from zero for ever.
 *
 * The number is a lower bound of the time for which the text has stood there, whoever has watched: it is only ever replaced
 * by a higher one that somebody had noted *before* the present look, and else grows with what this process watches by its own
 * monotonic clock. So what several have watched at once is never added up, nor what nobody has watched. Whoever can
 * plant a note could as well remove or release the lease.
 *
 * The note is read and written in the background: a place that fails or hangs delays nobody.
 */
export class KeptWatch {
  readonly #parts: KeptWatchParts;
  readonly #stalls: StallDetector;
  readonly #ending = new AbortController();
  #state = '';
  /** What is noted of the state, ms; `undefined` while the note was not read. */
  #noted: number | undefined;
  /** When the note may be read or written again, monotonic ms. */
  #dueAt = 0;
  #working: Promise<void> | undefined;
  /** The state of the note that lies there, as far as it is known; `undefined` where none does. */
  #lyingState: string | undefined;

  constructor(parts: KeptWatchParts) {
    this.#parts = parts;
    this.#stalls = new StallDetector(parts.neededMs, parts.lookEveryMs);
  }

  /** See {@link StallDetector.look}. */
  look(text: string): ReturnType<StallDetector['look']> {
    const { clock, neededMs } = this.#parts;
    const state = createHash('sha256').update(text).digest('hex');
    if (state !== this.#state) {
      this.#state = state;
      this.#noted = undefined;
      this.#dueAt = 0;
    }
    const now = clock.monotonic();
    const found = this.#stalls.look(text, now, Math.min(this.#noted ?? 0, neededMs - OWN_WATCH_MS));
    this.#keep(now);
    return found;
  }

  /**
   * Ends the work on the note, and removes one that is of no use to the next.
   *
   * @param options `isOver`: whether nobody waits any more, because the lease is had
   */
  end({ isOver }: { readonly isOver: boolean }): void {
    this.#ending.abort();
    const { place } = this.#parts;
    if (place === undefined) return;
    const remove = async () => {
      const isUseless = isOver || this.#lyingState !== this.#state;
      if (isUseless && this.#lyingState !== undefined) await place.remove();
    };
    // A write that is under way would bring it back.
    void (this.#working ?? Promise.resolve()).then(() => this.#inTime(remove()));
  }

  /** Reads the note of a new state, then writes it from time to time. */
  #keep(now: number): void {
    const { place, firstNoteMs, noteEveryMs } = this.#parts;
    if (place === undefined || this.#working !== undefined || now < this.#dueAt) return;
    const isToWrite = this.#noted !== undefined;
    const watchedMs = Math.floor(Math.min(this.#stalls.stillMs, this.#parts.neededMs));
    if (isToWrite && watchedMs < Math.max(firstNoteMs, (this.#noted ?? 0) + noteEveryMs)) return;
    this.#dueAt = now + noteEveryMs;
    this.#working = this.#inTime(isToWrite ? this.#write(place, watchedMs) : this.#read(place)).finally(
      () => {
        this.#working = undefined;
      },
    );
  }

  async #read(place: NotePlace): Promise<void> {
    const state = this.#state;
    const note = await place.read(this.#ending.signal);
    if (note !== undefined) this.#lyingState = stateOf(note);
    if (state === this.#state) this.#noted = watchedOf(note, state, this.#parts.neededMs);
  }

  async #write(place: NotePlace, watchedMs: number): Promise<void> {
    const state = this.#state;
    this.#lyingState = state;
    await place.write({ format: 1, state, watchedMs }, this.#ending.signal);
    if (state === this.#state) this.#noted = Math.max(watchedMs, this.#noted ?? 0);
  }

  /** Never rejects: without a note it is watched from zero. */
  #inTime(work: Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    return withDeadline(clock, FILES_DEADLINE_MS, 'the note of a watch', work).catch(() => undefined);
  }
}

function stateOf(note: unknown): string {
  return typeof note === 'object' && note !== null && 'state' in note ? String(note.state) : '';
}

/** What a note says of a state, ms; 0 where it is of another one, damaged, or says more than anybody watches. */
function watchedOf(note: unknown, state: string, neededMs: number): number {
  if (typeof note !== 'object' || note === null) return 0;
  const { format, state: noted, watchedMs } = note as Readonly<Record<string, unknown>>;
  if (format !== 1 || noted !== state || !Number.isSafeInteger(watchedMs)) return 0;
  const ms = Number(watchedMs);
  return ms >= 0 && ms <= neededMs ? ms : 0;
}
