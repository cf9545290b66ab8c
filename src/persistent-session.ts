import type { WhatsAppClient } from './client/client-types.js';
import { sendTestMessage, type TestMessageResult } from './client/send-test-message.js';
import { describeError, InvalidStateError } from './errors.js';
import type { SessionEventName, SessionEventPayloads, SessionEvents, StateChangeCause } from './events.js';
import type { HealthReport } from './health.js';
import type { PersistentSessionOptions, ResolvedOptions } from './options.js';
import type { OpenBackup, PruneResult, SaveResult, VerifyReport } from './results.js';
import { type ListenerFailure, SafeEmitter } from './safe-emitter.js';
import { assertTransition, type SessionState } from './state.js';
import type { SessionStatus } from './status.js';
import { asSessionErrors } from './supervision/context/session-error.js';
import type { ImportOptions } from './supervision/session-import.js';
import type { PendingPairing, SnapshotInfo } from './types.js';
import { UnknownEvents } from './unknown-events.js';
import { buildSession } from './wiring/build-session.js';
import type { SessionParts } from './wiring/wire-parts.js';

/**
 * Makes the WhatsApp login of a whatsapp-web.js client permanent: you scan the QR once, and again only after the phone
 * itself has logged the device out.
 *
 * Wraps your client. Your handlers stay on it, and after a lost connection the same instance is started again.
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
   * Changes nothing on the disk and starts nothing.
   *
   * @param client a Client of whatsapp-web.js 1.3x with LocalAuth, NoAuth or a `puppeteer.userDataDir`
   * @throws ConfigurationError for RemoteAuth, for a client that connects to a browser it did not start, for a client that
   * already has a session or was already started, and for an option that is unknown or out of range
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

  /** The client that was given to the constructor. */
  get client(): WhatsAppClient {
    return this.#client;
  }

  get state(): SessionState {
    return this.#state;
  }

  /**
   * The QR or pairing code that waits to be scanned or typed; `undefined` when there is none. It is the one of the client's
   * last `qr` or `code` event, for code that missed the event. It is a credential: never log it.
   */
  get pairing(): PendingPairing | undefined {
    return this.#state === 'awaiting_qr' ? this.#parts.context.driver.pairing : undefined;
  }

  /** All options, frozen and with their defaults; the bot's callbacks are wrapped so that they never fail. */
  get options(): ResolvedOptions {
    return this.#parts.context.options;
  }

  /**
   * Checks the profile, restores it if needed, and starts the client. Resolves at the first `ready`, or at the first QR or
   * pairing code that is delivered to the bot. A call while another one runs returns the result of that one.
   *
   * If another session of this process has the same profile and is being closed, the call waits for it, 150 s at most. If
   * that session has lost its connection, or its client emitted `disconnected` and the bot made a new client since, that
   * session stops and this one takes over.
   *
   * @throws StartFailedError when `maxInitRetries` and `maxReconnectAttempts` are used up, or at once when the first start
   * fails in a way that no retry can solve (no browser, for example); its `cause` is the last error, the state is `failed`
   * @throws LeaseHeldError, ProfileLockedError when another live process, or another running session of this process, has
   * the session
   * @throws ConfigurationError when a folder can't be written
   * @throws ClosedError when `destroy()` was called meanwhile
   */
  initialize(): Promise<void> {
    return asSessionErrors('initialize', this.#parts.supervisor.initialize());
  }

  /**
   * Closes the browser properly, takes a final snapshot if the session was ready, and ends every timer. The state is then
   * `stopped`; `initialize()` starts the session again. Does not throw when the final save fails: an event reports that.
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
   * @returns `{ snapshot }`, or `{ skipped }` with the reason why no snapshot was taken
   * @throws SessionError when the save failed; earlier snapshots are unchanged
   */
  forceSave(): Promise<SaveResult> {
    return asSessionErrors('forceSave', this.#parts.saves.forceSave());
  }

  /**
   * Takes a zipped snapshot into every backup store now; otherwise like {@link forceSave}.
   *
   * @throws StoreError that names the disk or store, when one does not answer for 2 min
   */
  backup(): Promise<SaveResult> {
    return asSessionErrors('backup', this.#parts.saves.backup());
  }

  /**
   * Replaces the profile by a snapshot, by default the best one of the login in place, or of a later one. If the client
   * runs, it is stopped and started again. The replaced profile is moved to quarantine. A login whose profile was removed
   * (`held`) can be restored too, and a revoked one if its id is given.
   *
   * @throws SnapshotNotFoundError, SnapshotCorruptError, SnapshotUnsafeError, StoreError; the profile is then unchanged
   */
  restore(snapshotId?: string): Promise<SnapshotInfo> {
    return asSessionErrors('restore', this.#parts.operations.restore(snapshotId));
  }

  /**
   * Imports the login of another system; stop that system first. Copies the old session, checks the copy, keeps it as a
   * snapshot and replaces the profile by it; the replaced profile is moved to quarantine. If the client runs, it is stopped
   * and started again. The old session stays unchanged; a note beside it (`<name>.moved.json`) says that it was moved.
   *
   * A first start imports automatically when there is exactly one old session of the same client id, and no doubt about
   * it. Otherwise a `warning` with the code `import-available` names this call.
   *
   * An old session is imported only once, so the call may stay in the bot's code. A repeated call changes nothing, emits a
   * `warning` with the code `import-skipped`, and resolves to the snapshot that was made of the old session, or else to the
   * newest snapshot of that login. While the bot has a login, a call counts as repeated for the same path, even if the
   * files there have changed; without a login (after a logout), only if they are still the same. It is then no error if the
   * old session does not exist any more.
   *
   * @param from a profile of LocalAuth, RemoteAuth or any Chromium (a folder with `Default` in it), a zip of RemoteAuth, a
   * backup of this library, or a folder that holds exactly one of these for the client's id
   * @param options `force: true` imports even if it was imported before; the present login is moved to quarantine. Default:
   * `{}`
   * @throws ConfigurationError when no such session exists and none was imported from there before; when several match;
   * when it is the profile that the session already uses
   * @throws ProfileLockedError with the `pid` while another program has the old session open
   * @throws ProfileUnsoundError, SnapshotCorruptError, SnapshotUnsafeError when the old session is damaged or a zip is
   * unsafe; StoreError. The profile is then unchanged
   *
   * @example
   * const { id } = await session.importSession('.wwebjs_auth/RemoteAuth-shop.zip');
   */
  importSession(from: string, options: ImportOptions = {}): Promise<SnapshotInfo> {
    return asSessionErrors('importSession', this.#parts.imports.run(from, options));
  }

  /**
   * Deletes the profile, its quarantine, and every snapshot of this client id in all stores. The state is then `idle`.
   *
   * A disk that is not mounted looks like an empty store. Copies that come back with it later are not restored
   * automatically; another `clear()` deletes them.
   *
   * @param options `logout: true` also unlinks the device from the phone (only while the session is ready)
   * @throws StoreError when a store can't be cleared; call it again then. ConfigurationError for another option, which deletes
   * nothing
   */
  clear(options: { readonly logout?: boolean } = {}): Promise<void> {
    return asSessionErrors('clear', this.#parts.operations.clear(options));
  }

  /**
   * Closes the connection and starts the client again. All attempts are available again.
   *
   * @throws InvalidStateError when the session was never initialised, or is stopped
   */
  reconnect(): Promise<void> {
    return asSessionErrors('reconnect', this.#parts.supervisor.reconnect());
  }

  /**
   * Compares every byte of a snapshot, by default of all snapshots, with its SHA-256.
   *
   * @throws SnapshotNotFoundError for an unknown id
   */
  verify(snapshotId?: string): Promise<VerifyReport> {
    return asSessionErrors('verify', this.#parts.operations.verify(snapshotId));
  }

  /**
   * Opens the verified zip of a backup, to copy it to another place. It holds the whole login: whoever has it can use the
   * account.
   *
   * @throws SnapshotNotFoundError, SnapshotCorruptError, StoreError; InvalidStateError for a save
   */
  openBackup(snapshotId: string): Promise<OpenBackup> {
    return asSessionErrors('openBackup', this.#parts.operations.openBackup(snapshotId));
  }

  /**
   * Lists all snapshots in all stores, newest first.
   *
   * @throws StoreError when no store answers
   */
  listSnapshots(): Promise<readonly SnapshotInfo[]> {
    return asSessionErrors('listSnapshots', this.#parts.operations.listSnapshots());
  }

  /**
   * Removes old snapshots by the retention rules, leftovers and, while no browser runs, the profile's caches. Rejects like
   * {@link backup} when a disk or store does not answer.
   */
  prune(): Promise<PruneResult> {
    return asSessionErrors('prune', this.#parts.operations.prune());
  }

  /**
   * Checks the session now: asks the page whether it is alive, and rates profile, saves, backups, storage, disk, memory,
   * event loop, reconnects and lease. The event `health:checked` announces the same report every `healthCheckIntervalMs`.
   * The health page of the documentation lists the points, the thresholds and every code.
   *
   * Works in every state; a call while a check runs gets the result of that check, unless the session has come up since
   * it began. Takes 10 s at most, or `puppeteerTimeoutMs` if that is less. Never rejects: a check that is not possible is `unknown` in the report and does
   * not count in the score.
   *
   * @example
   * const { score, status, issues } = await session.checkHealth();
   * console.log(`${score}/100 ${status}`, issues.map(({ message }) => message.en));
   */
  checkHealth(): Promise<HealthReport> {
    return this.#parts.health.check();
  }

  /**
   * Sends a text message, to test whether the session works.
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

  /** The status of the session, read from memory: cheap, JSON-safe and without secrets. */
  status(): SessionStatus {
    return this.#parts.status.report(this.#state, this.#stateSince);
  }

  protected override onListen(event: unknown): void {
    this.#unknownEvents.note(event);
  }

  protected override onListenerError(event: string, error: unknown, { isNested }: ListenerFailure): void {
    const { message } = describeError(error);
    this.#parts.context.logger.warn('a listener failed', { event, error: message });
    // A failed listener of `warning`, or one that fails during such a report, causes no warning: that could go on for ever.
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
