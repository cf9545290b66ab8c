import { join } from 'node:path';
import {
  PersistentSession,
  type PersistentSessionOptions,
  type SaveResult,
  type SessionEventName,
  type SessionEventPayloads,
  type SnapshotInfo,
} from '../../src/index.js';
import { FakeClient, type FakeClientOptions } from '../../src/testing/fake-client.js';
import type { FakeStage } from './fake-stage.js';
import { type UntilOptions, until, untilSettled } from './until.js';

/** An event that a bot received, by the name that its client or the session uses. */
export type Heard = readonly [name: string, detail?: unknown];

export interface FakeBotOptions {
  readonly client?: Partial<FakeClientOptions>;
  readonly session?: PersistentSessionOptions;
  /** The folder of the bot; by default all bots of a stage share one. */
  readonly folder?: string;
  /** `unnamed` is NoAuth without a chosen client id. */
  readonly auth?: 'local' | 'none' | 'unnamed';
}

/** A session that saves, backs up and checks only when it is told to. */
export const BY_HAND = {
  forceSaveIntervalMs: 0,
  backupIntervalMs: 0,
  sessionValidationIntervalMs: 0,
  healthCheckIntervalMs: 0,
} as const;

const CLIENT_EVENTS = [
  'qr',
  'code',
  'loading_screen',
  'authenticated',
  'auth_failure',
  'ready',
  'change_state',
  'disconnected',
];

/** A persistent bot with the fake client. A new instance represents a new process. */
export class FakeBot {
  readonly client: FakeClient;
  readonly session: PersistentSession;
  readonly heard: Heard[] = [];
  readonly events: { readonly name: SessionEventName; readonly payload: unknown }[] = [];
  readonly stage: FakeStage;

  constructor(stage: FakeStage, { client, session, folder = '/bot', auth = 'local' }: FakeBotOptions = {}) {
    this.stage = stage;
    const { clock, random, fs, whatsApp } = stage;
    const localAuth = { dataPath: join(folder, 'auth'), clientId: 'shop' };
    this.client = new FakeClient({ whatsApp, fs, ...(auth === 'local' && { localAuth }), ...client });
    for (const name of CLIENT_EVENTS) this.client.on(name, (detail) => this.heard.push([name, detail]));
    this.session = new PersistentSession(this.client, {
      ...(auth === 'none' && { clientId: 'shop' }),
      sessionPath: join(folder, 'session'),
      backupPath: join(folder, 'backup'),
      shutdownSignals: [],
      // Hours of the fake clock would be full of them; test/session/tail.test.ts is about them.
      followIntervalMs: 0,
      clock,
      random,
      fs,
      ...session,
    });
    this.#hearSession();
  }

  get state(): string {
    return this.session.state;
  }

  /** The QR and pairing codes that the bot's own listeners received. */
  get codes(): readonly unknown[] {
    return this.heard.filter(([name]) => name === 'qr' || name === 'code').map(([, detail]) => detail);
  }

  payloads<Name extends SessionEventName>(name: Name): SessionEventPayloads[Name][] {
    return this.events
      .filter((event) => event.name === name)
      .map(({ payload }) => payload as SessionEventPayloads[Name]);
  }

  /** The states so far, `idle` first. */
  get states(): readonly string[] {
    return ['idle', ...this.payloads('state:changed').map(({ to }) => to)];
  }

  /** The codes of the warnings so far. */
  get warnings(): readonly string[] {
    return this.payloads('warning').map(({ code }) => code);
  }

  /** Moves the clock until `work` settles, and settles in the same way. */
  finish<T>(work: Promise<T>, options?: UntilOptions): Promise<T> {
    return untilSettled(this.stage, work, options);
  }

  until(what: string, condition: () => boolean, options?: UntilOptions): Promise<void> {
    return until(this.stage, what, condition, options);
  }

  untilState(state: string, options?: UntilOptions): Promise<void> {
    return this.until(`state ${state}, it is ${this.state}`, () => this.state === state, options);
  }

  start(options?: UntilOptions): Promise<void> {
    return this.finish(this.session.initialize(), options);
  }

  stop(): Promise<void> {
    return this.finish(this.session.destroy());
  }

  /** Starts without a login, scans, and waits until the bot is ready. */
  async logIn(account?: string): Promise<void> {
    await this.start();
    await this.client.scan(account);
    await this.untilState('ready');
  }

  /** Writes something into the profile and saves it. */
  async save(note: string): Promise<SnapshotInfo> {
    await this.note(note);
    return taken(await this.finish(this.session.forceSave()));
  }

  async backUp(note: string): Promise<SnapshotInfo> {
    await this.note(note);
    return taken(await this.finish(this.session.backup()));
  }

  /** Changes the profile, so that the next save is not `unchanged`. */
  async note(note: string): Promise<void> {
    const login = await this.client.readLogin();
    if (!login) throw new Error('there is no login to write a note into');
    await this.client.writeLogin({ ...login, note });
  }

  // Listens before the listeners of a test, so that it hears everything whatever they do.
  #hearSession(): void {
    const emit = this.session.emit.bind(this.session) as (
      name: SessionEventName,
      payload: unknown,
    ) => boolean;
    Object.assign(this.session, {
      emit: (name: SessionEventName, payload: unknown) => {
        this.events.push({ name, payload });
        return emit(name, payload);
      },
    });
  }
}

function taken(result: SaveResult): SnapshotInfo {
  if ('skipped' in result) throw new Error(`nothing was taken: ${result.skipped}`);
  return result.snapshot;
}
