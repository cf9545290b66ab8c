import type { WhatsAppClient } from './client/client-types.js';
import { sendTestMessage, type TestMessageResult } from './client/send-test-message.js';
import { describeError, InvalidStateError } from './errors.js';
import type { SessionEventName, SessionEventPayloads, SessionEvents, StateChangeCause } from './events.js';
import type { HealthReport } from './health.js';
import type { PersistentSessionOptions, ResolvedOptions } from './options.js';
import type { OpenBackup, PruneResult, SaveResult, VerifyReport } from './results.js';
import { type ListenerFailure, SafeEmitter } from './safe-emitter.js';
import { buildSession, type SessionParts } from './session-parts.js';
import { assertTransition, type SessionState } from './state.js';
import type { SessionStatus } from './status.js';
import { asSessionErrors } from './supervision/context/session-error.js';
import type { ImportOptions } from './supervision/session-import.js';
import type { PendingPairing, SnapshotInfo } from './types.js';
import { UnknownEvents } from './unknown-events.js';

/**
 * Makes the WhatsApp login of a whatsapp-web.js client permanent: no second QR scan unless the phone itself logs the
 * device out.
 *
 * Wraps the client you have; your handlers stay on it, and the same instance is started again after a loss.
 *
 * @example
 * const client = new Client({ authStrategy: new LocalAuth({ clientId: 'shop' }) });
 * const session = new PersistentSession(client);
 * session.on('restore:completed', ({ snapshot }) => console.log('restored', snapshot.id));
 * await session.initialize(); // instead of client.initialize()
 */
export class PersistentSession extends SafeEmitter<SessionEvents> implements AsyncDisposable {
  readonly #client: WhatsAppClient;
  readonly #parts: SessionParts;
  readonly #unknownEvents: UnknownEvents;
  #state: SessionState = 'idle';
  #stateSince: number;

  /**
   * Touches nothing on disk and starts nothing.
   *
   * @param client a Client of whatsapp-web.js 1.3x with LocalAuth, NoAuth or a `puppeteer.userDataDir`
   * @throws ConfigurationError for RemoteAuth, a client connected to a foreign browser, a client that has a session
   * already or was started before, and every option that is unknown or out of range
   */
  constructor(client: WhatsAppClient, options: PersistentSessionOptions = {}) {
    super();
    this.#client = client;
    this.#parts = buildSession(client, options, {
      announce: (name, payload) => this.#announce(name, payload),
      state: () => this.#state,
      moveTo: (to, cause) => this.#moveTo(to, cause),
    });
    this.#unknownEvents = new UnknownEvents(this.#parts.context);
    this.#stateSince = this.#parts.context.clock.now();
  }

  /** The bot's client, as it was given. */
  get client(): WhatsAppClient {
    return this.#client;
  }

  get state(): SessionState {
    return this.#state;
  }

  /**
   * The QR or pairing code that waits to be scanned or typed; `undefined` when none does. The same as the bot's last
   * `qr` or `code` event, for who came too late to hear it. A credential: never log it.
   */
  get pairing(): PendingPairing | undefined {
    return this.#state === 'awaiting_qr' ? this.#parts.context.driver.pairing : undefined;
  }

  /** All options, frozen, defaults filled in; the bot's callbacks in a form that never fails. */
  get options(): ResolvedOptions {
    return this.#parts.context.options;
  }

  /**
   * Makes the profile sound (restores it if need be) and starts the client. Resolves at the first `ready`, or at the
   * first QR or pairing code that is delivered to the bot. While it runs, further calls join.
   *
   * A session of this process that is being closed is waited for, 150 s at most; one that has lost its connection, or whose
   * bot was told `disconnected` and has made a new client since, retires.
   *
   * @throws StartFailedError when `maxInitRetries` and `maxReconnectAttempts` are used up, or at once when the first start meets
   * what trying again can't mend (no browser, for example); its `cause` is the last error, the state is `failed`
   * @throws LeaseHeldError, ProfileLockedError when another live process has the session, or another session of this one
   * that is up
   * @throws ConfigurationError when a folder can't be written
   * @throws ClosedError when `destroy()` came between
   */
  initialize(): Promise<void> {
    return asSessionErrors('initialize', this.#parts.supervisor.initialize());
  }

  /**
   * Closes the browser in order, takes a final snapshot if the session was ready, and ends every timer. The state is
   * `stopped`; `initialize()` starts afresh. Never throws for a save that failed: that is announced.
   */
  destroy(): Promise<void> {
    return asSessionErrors('destroy', this.#parts.supervisor.destroy());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy();
  }

  /**
   * Takes an incremental snapshot into the primary store now.
   *
   * @returns `{ snapshot }`, or `{ skipped }` with the reason when none was due
   * @throws SessionError when it failed; what was saved before is untouched
   */
  forceSave(): Promise<SaveResult> {
    return asSessionErrors('forceSave', this.#parts.saves.forceSave());
  }

  /** Takes a zipped snapshot into every backup store now; otherwise like {@link forceSave}. */
  backup(): Promise<SaveResult> {
    return asSessionErrors('backup', this.#parts.saves.backup());
  }

  /**
   * Puts a snapshot in place of the profile, by default the best there is. Stops the client if it runs and starts it
   * again. The replaced profile goes to quarantine. Also brings back a login whose profile was removed (`held`), and a
   * revoked one, if its id is given.
   *
   * @throws SnapshotNotFoundError, SnapshotCorruptError, SnapshotUnsafeError, StoreError; the profile is then as it was
   */
  restore(snapshotId?: string): Promise<SnapshotInfo> {
    return asSessionErrors('restore', this.#parts.operations.restore(snapshotId));
  }

  /**
   * Takes over the login of another system: stop that one first. Copies it, checks it, keeps it as a snapshot and puts
   * it in place of the profile, which goes to quarantine. Stops the client if it runs and starts it again. The old
   * session stays as it is; a note beside it (`<name>.moved.json`) says that it was moved.
   *
   * At a first start this happens by itself when there is exactly one old session of the same client id, and no doubt;
   * else a `warning` with the code `import-available` names this call.
   *
   * What was taken over before is not taken over again, so that the call may stay in a bot: it then resolves to the snapshot
   * that was made of the old session, or else to the newest of that login, changes nothing, and a `warning` says
   * `import-skipped`. While the bot has a login, this holds for all that comes from the same path, also for what has
   * changed there since; without one (after a logout), only for what is still the same. What is not there any more is
   * no error then.
   *
   * @param from a profile of LocalAuth, RemoteAuth or any Chromium (a folder with `Default` in it), a zip of
   * RemoteAuth or a backup of this library, or the folder that holds exactly one of the client's id
   * @param options `force: true` takes it over whatever was before; the login in place goes to quarantine. Default: `{}`
   * @throws ConfigurationError when there is no such session, nor one that was taken over before; when several fit, or it is
   * the profile in use anyway
   * @throws ProfileLockedError with the `pid` while another program has the old session open
   * @throws ProfileUnsoundError, SnapshotCorruptError, SnapshotUnsafeError when it is damaged or a zip is hostile;
   * StoreError. The profile is then as it was
   *
   * @example
   * const { id } = await session.importSession('.wwebjs_auth/RemoteAuth-shop.zip');
   */
  importSession(from: string, options: ImportOptions = {}): Promise<SnapshotInfo> {
    return asSessionErrors('importSession', this.#parts.imports.run(from, options));
  }

  /**
   * Deletes the profile, its quarantine, and every snapshot of this client id in all stores. The state is `idle`.
   *
   * @param options `logout: true` also unlinks the device from the phone (only while the session is ready)
   * @throws StoreError when a store can't be cleared; call it again then. ConfigurationError for another option, which deletes
   * nothing
   */
  clear(options: { readonly logout?: boolean } = {}): Promise<void> {
    return asSessionErrors('clear', this.#parts.operations.clear(options));
  }

  /**
   * Drops the connection and starts the client again, with all attempts fresh.
   *
   * @throws InvalidStateError when the session was never initialised, or stopped
   */
  reconnect(): Promise<void> {
    return asSessionErrors('reconnect', this.#parts.supervisor.reconnect());
  }

  /**
   * Compares every byte of a snapshot (by default of all) with its SHA-256.
   *
   * @throws SnapshotNotFoundError for an unknown id
   */
  verify(snapshotId?: string): Promise<VerifyReport> {
    return asSessionErrors('verify', this.#parts.operations.verify(snapshotId));
  }

  /**
   * A backup's zip, verified, to be copied elsewhere. It is the whole login: whoever has it has the account.
   *
   * @throws SnapshotNotFoundError, SnapshotCorruptError, StoreError; InvalidStateError for a save
   */
  openBackup(snapshotId: string): Promise<OpenBackup> {
    return asSessionErrors('openBackup', this.#parts.operations.openBackup(snapshotId));
  }

  /**
   * All snapshots in all stores, newest first.
   *
   * @throws StoreError when no store answers
   */
  listSnapshots(): Promise<readonly SnapshotInfo[]> {
    return asSessionErrors('listSnapshots', this.#parts.operations.listSnapshots());
  }

  /** Removes what retention no longer keeps, leftovers and, while no browser runs, the profile's caches. */
  prune(): Promise<PruneResult> {
    return asSessionErrors('prune', this.#parts.operations.prune());
  }

  /**
   * Looks at the session now: asks the page whether it is alive, and weighs profile, saves, backups, storage, disk,
   * memory, event loop, reconnects and lease. The same as what is announced by `health:checked` every
   * `healthCheckIntervalMs`. The page on health in the documentation has the points, the thresholds and every code.
   *
   * In every state; a call while a check runs joins it. Takes 10 s at most, or `puppeteerTimeoutMs` if that is less.
   * Never rejects: what can't be looked at is `unknown` in the report and counts neither way.
   *
   * @example
   * const { score, status, issues } = await session.checkHealth();
   * console.log(`${score}/100 ${status}`, issues.map(({ message }) => message.en));
   */
  checkHealth(): Promise<HealthReport> {
    return this.#parts.health.check();
  }

  /**
   * Sends a text, to see that the session works.
   *
   * @param phoneNumber international, digits only, for example `972501234567` (`+`, spaces and dashes are ignored)
   * @throws InvalidStateError when the session is not ready; ConfigurationError for a bad number or an empty text;
   * TimeoutError after `puppeteerTimeoutMs`
   */
  async sendTestMessage(phoneNumber: string, text: string): Promise<TestMessageResult> {
    const { clock, options } = this.#parts.context;
    return sendTestMessage(
      this.#client,
      { phoneNumber, text, clock, deadlineMs: options.puppeteerTimeoutMs },
      () => {
        if (this.#state === 'ready') return;
        throw new InvalidStateError(`sendTestMessage() needs a session that is ready; it is ${this.#state}`, {
          operation: 'sendTestMessage',
        });
      },
    );
  }

  /** Where the session stands, from memory: cheap, JSON-safe, without secrets. */
  status(): SessionStatus {
    return this.#parts.status.report(this.#state, this.#stateSince);
  }

  protected override onListen(event: unknown): void {
    this.#unknownEvents.note(event);
  }

  protected override onListenerError(event: string, error: unknown, { isNested }: ListenerFailure): void {
    const { message } = describeError(error);
    this.#parts.context.logger.warn('a listener failed', { event, error: message });
    // A listener of `warning` that fails must not be told so, nor what fails while one is told.
    if (event !== 'warning' && !isNested) {
      this.emit('warning', { code: 'listener-failed', message: `a listener of ${event} failed: ${message}` });
    }
  }

  #announce<Name extends SessionEventName>(name: Name, payload: SessionEventPayloads[Name]): void {
    this.#parts.log.note(name, payload);
    this.#parts.status.note(name, payload);
    this.#parts.health.note(name, payload);
    (this.emit as (event: string, payload: unknown) => boolean).call(this, name, Object.freeze(payload));
  }

  #moveTo(to: SessionState, cause?: StateChangeCause): void {
    const from = this.#state;
    if (from === to) return;
    assertTransition(from, to);
    this.#state = to;
    this.#stateSince = this.#parts.context.clock.now();
    this.#announce('state:changed', cause === undefined ? { from, to } : { from, to, cause });
  }
}
