import type { StartOutcome } from '../../client/start-outcome.js';
import type { DisconnectCause } from '../../events.js';
import type { LocatedSnapshot } from '../../snapshot/located-snapshot.js';
import type { BrowserStopper } from '../browser/browser-stopper.js';
import type { OperationQueue } from '../context/operation-queue.js';
import type { SessionContext } from '../context/session-context.js';
import { contentOf, type SessionSnapshots } from '../context/session-snapshots.js';
import { basisOf } from '../record/session-record.js';
import type { Restorer } from './restorer.js';

/** The reason by which the profile is found again in quarantine. */
const REASON = 'never-ready';
const NO_BASIS = { lineage: undefined, account: undefined, basedOn: undefined, browserVersion: undefined };

export interface OlderCopyTrialParts {
  readonly operations: OperationQueue;
  readonly snapshots: SessionSnapshots;
  readonly restorer: Restorer;
  readonly stopper: BrowserStopper;
}

/** The result of trying an older copy. */
export interface TrialResult {
  /** How its start ended, if there was one. Unless it is `ready`, the profile is in place again. */
  readonly outcome?: StartOutcome;
  /** The snapshot that a human may try next; absent when there is none. */
  readonly next?: string;
}

/**
 * Makes one start from an older copy when a sound profile never becomes ready, since its content may be the cause.
 * The replaced profile is put back when the copy does no better.
 */
export class OlderCopyTrial {
  readonly #context: SessionContext;
  readonly #parts: OlderCopyTrialParts;

  constructor(context: SessionContext, parts: OlderCopyTrialParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** The browser must be closed. It is closed again afterwards, unless the outcome is `ready`. */
  async run(
    cause: DisconnectCause,
    signal: AbortSignal,
    start: () => Promise<StartOutcome>,
  ): Promise<TrialResult> {
    const { operations, stopper } = this.#parts;
    const { young, old } = await this.#copies();
    const [candidate, ...others] = young;
    const next = [...others, ...old, ...young][0]?.info.id;
    const advice = next === undefined ? {} : { next };
    if (candidate === undefined) {
      this.#tell(
        `the session does not become ready with this profile (${cause}), and no copy is young enough`,
        next,
      );
      return advice;
    }
    const isInPlace = await operations.exclusive(() => this.#install(candidate, signal));
    if (!isInPlace) return advice;
    const outcome = await start();
    if (outcome.kind === 'ready') {
      await this.#context.record.update({ trial: undefined });
      this.#tell(
        `the session did not become ready with its profile (${cause}), which is now in quarantine; it became ready with ` +
          `snapshot ${candidate.info.id} of ${candidate.info.createdAt}`,
        undefined,
      );
      return { outcome };
    }
    await stopper.stop();
    await operations.exclusive(() => this.putBack());
    this.#tell(
      `the session does not become ready with this profile (${cause}), nor with snapshot ${candidate.info.id}, which was ` +
        'tried; the profile is in place again',
      next,
    );
    return { outcome, ...advice };
  }

  /** Puts back the profile that a trial replaced. Also called at a start, after a trial that was interrupted. */
  async putBack(): Promise<void> {
    const { record, folders, assertOwned, soundTables } = this.#context;
    const { trial, basedOn: tried } = record.current;
    if (trial === undefined) return;
    const replaced = await folders.quarantinedSince(trial.since, REASON);
    if (replaced !== undefined) {
      await assertOwned();
      // A copy is installed, so that the original stays in quarantine until the profile is in place.
      const staged = await folders.stageQuarantined(replaced);
      await folders.install(staged, 'older-copy-tried', tried);
      soundTables.forget();
    }
    await record.update({ ...NO_BASIS, ...trial.before, trial: undefined });
    if (replaced !== undefined) await folders.removeQuarantined(replaced);
  }

  /** Copies of this login whose content differs from the profile's basis, best first; then one copy of the basis. */
  async #copies(): Promise<{ young: readonly LocatedSnapshot[]; old: readonly LocatedSnapshot[] }> {
    const { record, clock, options } = this.#context;
    const { lineage, basedOn } = record.current;
    if (lineage === undefined) return { young: [], old: [] };
    const candidates = await this.#readable(await this.#parts.snapshots.candidates(lineage));
    const contents = await Promise.all(candidates.map(contentOf));
    const basis = contents[candidates.findIndex(({ info }) => info.id === basedOn)];
    const others = candidates.filter((_, index) => contents[index] !== basis || basis === undefined);
    const ordered = [...others, ...candidates.filter((candidate) => !others.includes(candidate)).slice(0, 1)];
    const isYoung = ({ info }: LocatedSnapshot) =>
      Date.parse(info.createdAt) >= clock.now() - options.maxRollbackMs;
    return { young: ordered.filter(isYoung), old: ordered.filter((candidate) => !isYoung(candidate)) };
  }

  async #readable(candidates: readonly LocatedSnapshot[]): Promise<readonly LocatedSnapshot[]> {
    const { browserGuard } = this.#context;
    const refusals = await Promise.all(
      candidates.map((candidate) => browserGuard.refusalOfSnapshot(candidate)),
    );
    return candidates.filter((_, index) => refusals[index] === undefined);
  }

  /** Returns `false` when the candidate was not sound or not readable; the profile is then unchanged. */
  async #install(candidate: LocatedSnapshot, signal: AbortSignal): Promise<boolean> {
    const { record, assertOwned, browserOwner } = this.#context;
    await assertOwned();
    await browserOwner.reclaimProfile();
    const since = new Date(this.#context.clock.now()).toISOString();
    await record.update({ trial: { since, before: basisOf(record.current) } });
    let isInPlace = false;
    try {
      isInPlace = (await this.#parts.restorer.restoreFirstSound([candidate], REASON, signal)) !== undefined;
      return isInPlace;
    } finally {
      if (!isInPlace) await this.putBack();
    }
  }

  #tell(what: string, next: string | undefined): void {
    const advice = next === undefined ? '' : `; restore(${JSON.stringify(next)}) tries an older copy`;
    this.#context.warn('profile-not-starting', `${what}${advice}`);
  }
}
