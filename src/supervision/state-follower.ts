import type { ClientEvent } from '../client/client-event.js';
import { isNavigationRace } from '../client/navigation-race.js';
import { summaryOf } from '../client/start-error.js';
import { describeError } from '../errors.js';
import type { OperationQueue } from './context/operation-queue.js';
import type { SessionContext } from './context/session-context.js';
import type { LineageKeeper } from './login/lineage-keeper.js';
import type { StartRetries } from './reconnect/start-retries.js';
import type { Run } from './run/run.js';
import type { SaveSchedule } from './save/save-schedule.js';
import type { SettleWatch } from './save/settle-watch.js';
import type { DegradedTimer } from './watch/degraded-timer.js';

export interface StateFollowerParts {
  readonly startRetries: StartRetries;
  readonly degradedTimer: DegradedTimer;
  readonly lineageKeeper: LineageKeeper;
  readonly operations: OperationQueue;
  readonly schedule: SaveSchedule;
  readonly settleWatch: SettleWatch;
}

/** Updates the session's state from the client's events, and starts the tasks of a ready session. */
export class StateFollower {
  readonly #context: SessionContext;
  readonly #parts: StateFollowerParts;

  constructor(context: SessionContext, parts: StateFollowerParts) {
    this.#context = context;
    this.#parts = parts;
  }

  follow(run: Run, event: ClientEvent): void {
    const { state, moveTo, logger, browserOwner } = this.#context;
    switch (event.type) {
      case 'browser-launched':
        run.wasReady = false;
        return browserOwner.noteBrowser(event.pid);
      case 'contained':
        return this.#onContained(event);
      case 'pairing':
        run.isPairing = true;
        return moveTo('awaiting_qr');
      case 'authenticated':
        if (state() === 'starting' || state() === 'awaiting_qr') moveTo('authenticated');
        return;
      case 'ready':
        if (event.repeated) logger.debug('the client said ready once more: the bot was not told again');
        return this.#onReady(run);
      case 'state':
        return this.#parts.degradedTimer.onState(event.state);
      default:
        return;
    }
  }

  // Only this event reports an error in a function that the page calls; such an error may stop the login halfway.
  #onContained({ error, exposed }: Extract<ClientEvent, { readonly type: 'contained' }>): void {
    const { logger, warn, driver } = this.#context;
    // A navigation or the end of the browser interrupts what runs in the page. Both are reported by their own events.
    if (exposed === undefined || isNavigationRace(error) || driver.isClosing) {
      return logger.debug('contained a rejection of the client', { error: describeError(error) });
    }
    warn(
      'client-rejection',
      `${exposed}() of the client, or a listener that it called, failed: ${summaryOf(error).message}`,
    );
  }

  #onReady(run: Run): void {
    const { state, moveTo } = this.#context;
    const { settleWatch, startRetries, degradedTimer, schedule, lineageKeeper, operations } = this.#parts;
    if (state() === 'ready') return; // whatsapp-web.js may emit it twice
    if (state() === 'degraded') {
      degradedTimer.stop();
      return moveTo('ready');
    }
    settleWatch.onReady(run.isPairing);
    lineageKeeper.noteReady(run.isPairing);
    run.isPairing = false;
    run.wasReady = true;
    void this.#context.folders.presence.note();
    startRetries.noteReady();
    operations.open();
    schedule.start();
    // Last, because a listener may call destroy() or reconnect() at once, and they must find everything that they
    // have to undo.
    moveTo('ready');
  }
}
