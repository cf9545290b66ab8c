import { randomUUID } from 'node:crypto';
import { type Clock, type Moment, momentOf, orAborted, sleep, withDeadline } from '../clock.js';
import { LeaseHeldError, StoreError } from '../errors.js';
import { describeHolder, isSameProcess, judgeHolder, type Machine } from './judge-holder.js';
import { KeptWatch } from './kept-watch.js';
import type { LeaseFiles, SeenLease } from './lease-files.js';
import { directoryField, type LeaseHolder, type LeaseRecord } from './lease-record.js';
import { FILES_DEADLINE_MS, HEARTBEAT_MS, LOOK_EVERY_MS, NOTE_EVERY_MS, TAKEOVER_MS } from './timing.js';

/** A lease file of a new generation that this process created. */
export interface Claim {
  readonly generation: number;
  readonly record: LeaseRecord;
  /** When we began to create it. */
  readonly begunAt: Moment;
}

export interface LeaseRequest {
  readonly files: LeaseFiles;
  readonly clock: Clock;
  readonly machine: Machine;
  /** How long to wait for a live owner to release the lease, ms. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Called when the wait for the proof begins that its holder, another machine's or an unknown one, lives; anew for each. */
  readonly onWatch?: ((holder: LeaseHolder | undefined, maxMs: number) => void) | undefined;
  /** The generation that we had before: the new claim gets a higher one, even when all lease files are gone. */
  readonly above?: number;
}

/**
 * Becomes the owner, or finds out that a live process is the owner.
 *
 * @throws LeaseHeldError when a live process is the owner; StoreError when the question stays open, for example
 * because the folder is deleted again and again
 */
export async function claimLease(request: LeaseRequest): Promise<Claim> {
  const { files, clock } = request;
  const watch = new KeptWatch({
    ...{ clock, neededMs: TAKEOVER_MS, lookEveryMs: LOOK_EVERY_MS, noteEveryMs: NOTE_EVERY_MS },
    ...{ firstNoteMs: HEARTBEAT_MS + 2 * LOOK_EVERY_MS, place: files.watchNote() },
  });
  let isOver = false;
  try {
    const claim = await claimWatched(request, watch);
    isOver = true;
    return claim;
  } finally {
    watch.end({ isOver });
  }
}

async function claimWatched(request: LeaseRequest, watch: KeptWatch): Promise<Claim> {
  const { files, clock, machine, waitMs, signal, onWatch } = request;
  const self = await orAborted(describeHolder(machine), signal);
  const waitUntil = clock.monotonic() + waitMs;
  const looks = Math.ceil((waitMs + TAKEOVER_MS) / LOOK_EVERY_MS) + 10;
  let seen: SeenLease | undefined;
  let watchedGeneration: number | undefined;
  for (let look = 0; look < looks; look++) {
    seen = await orAborted(bounded(request, files.readHighest()), signal);
    const judged = await orAborted(judgeHolder(seen, self, machine), signal);
    const isCopied =
      judged === 'held' &&
      seen !== undefined &&
      (await orAborted(bounded(request, files.isCopied(seen)), signal));
    const verdict = isCopied ? 'free' : judged;
    const watched = verdict === 'unproven' ? seen : undefined;
    const state = watched && watch.look(`${watched.generation} ${watched.text}`);

    if (verdict === 'free' || verdict === 'dead' || state === 'over') {
      const claim = await claimAfter(seen, watched, self, request);
      if (claim !== undefined) return raised(claim, request);
      continue; // somebody else was first: find out who
    }
    const alive = verdict === 'held' || state === 'moved';
    if (watched !== undefined && watched.generation !== watchedGeneration) {
      watchedGeneration = watched.generation;
      onWatch?.(watched.record?.holder, TAKEOVER_MS);
    }
    if (alive && clock.monotonic() >= waitUntil) throw heldBy(seen, self, files);
    await sleep(clock, LOOK_EVERY_MS, signal);
  }
  // The folder is deleted again and again, or other processes come and go: no owner is known.
  throw new StoreError(`the lease files in ${files.directory} change faster than they can be claimed`);
}

async function claimAfter(
  seen: SeenLease | undefined,
  watched: SeenLease | undefined,
  holder: LeaseHolder,
  request: LeaseRequest,
): Promise<Claim | undefined> {
  const { files, clock, machine } = request;
  const { heldTokens } = machine;
  const token = randomUUID();
  const at = new Date(clock.now()).toISOString();
  const claim: Claim = {
    generation: (seen?.generation ?? 0) + 1,
    record: { format: 1, token, holder, beat: 0, at, released: false, ...directoryField(files.directory) },
    begunAt: momentOf(clock),
  };
  heldTokens.add(token); // before the file can be seen by another session of this process
  let ours = false;
  const creating = createUncontested(files, claim, watched);
  try {
    ours = await bounded(request, creating);
  } catch (error) {
    // A hanging disk may create the file after the deadline: it would look like a newer owner, even to ourselves.
    creating.then((made) => (made ? files.withdraw(claim.generation) : undefined)).catch(() => undefined);
    throw error;
  } finally {
    if (!ours) heldTokens.delete(token);
  }
  return ours ? claim : undefined;
}

/**
 * All contenders must try to create the same next free generation, so that only one can win; only the winner may
 * move on to a higher generation.
 */
async function raised(claim: Claim, request: LeaseRequest): Promise<Claim> {
  const { files, machine, above = 0 } = request;
  if (claim.generation > above) return claim;
  const higher = { ...claim, generation: above + 1 };
  const creating = files.create(higher.generation, higher.record);
  try {
    if (await bounded(request, creating)) {
      await bounded(request, files.withdraw(claim.generation)).catch(() => undefined); // else the next owner removes it
      return higher;
    }
    throw new StoreError(`the lease files in ${files.directory} change faster than they can be read`);
  } catch (error) {
    machine.heldTokens.delete(claim.record.token);
    creating.then((made) => (made ? files.withdraw(higher.generation) : undefined)).catch(() => undefined);
    await bounded(request, files.withdraw(claim.generation)).catch(() => undefined);
    throw error;
  }
}

/**
 * A suspended owner may wake at this very moment. It writes its heartbeat and *then* looks for a higher
 * generation; we create our generation and *then* look for its heartbeat: so at least one of the two sees the
 * other.
 */
async function createUncontested(
  files: LeaseFiles,
  claim: Claim,
  watched: SeenLease | undefined,
): Promise<boolean> {
  if (!(await files.create(claim.generation, claim.record))) return false;
  if (watched === undefined) return true;
  const now = await files.readText(watched.generation);
  if (now === undefined || now === watched.text) return true;
  await files.withdraw(claim.generation);
  return false;
}

function bounded<T>({ clock, files }: Pick<LeaseRequest, 'clock' | 'files'>, work: Promise<T>): Promise<T> {
  return withDeadline(clock, FILES_DEADLINE_MS, `work on the lease files in ${files.directory}`, work);
}

function heldBy(seen: SeenLease | undefined, self: LeaseHolder, files: LeaseFiles): LeaseHeldError {
  const holder = seen?.record?.holder;
  const here = holder !== undefined && isSameProcess(holder, self);
  const who = here
    ? `another session of this process (pid ${self.pid} on ${self.host})`
    : `process ${holder?.pid ?? '(unknown)'} on host ${holder?.host ?? '(unknown)'}`;
  const { directory = files.directory } = seen?.record ?? {};
  const isElsewhere = directory !== files.directory;
  return new LeaseHeldError(
    `the session '${files.clientId}' is in use by ${who}. A session can run only once: stop the other one, or ` +
      `give this one a clientId or a sessionPath of its own. Lease folder: ${files.directory}` +
      (isElsewhere
        ? `, which its owner knows as ${directory}. If the folder was copied from there, delete the copy of the lease folder`
        : ''),
  );
}
