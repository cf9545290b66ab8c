import { join } from 'node:path';
import type { Client, ClientOptions } from 'whatsapp-web.js';
import {
  PersistentSession,
  type PersistentSessionOptions,
  type SessionEventName,
  type SessionEventPayloads,
  type SnapshotInfo,
} from '../../src/index.js';
import { createBot, type Library, waitForEvent } from '../simulator/client.js';
import type { WhatsAppSimulator } from '../simulator/server.js';

const CLIENT_ID = 'bot';
const PATIENCE_MS = 45_000;
/** Local Storage reaches the disk within about 60 s (docs/chromium-facts.md F1.5), half as much is for a busy machine, ms. */
const SETTLING_MS = 90_000;

export interface PersistentBotOptions {
  readonly simulator: Pick<WhatsAppSimulator, 'port'>;
  /** The folder that contains everything of the bot: its auth folder, the saves, the backups. */
  readonly folder: string;
  readonly session?: PersistentSessionOptions;
  readonly client?: ClientOptions;
  /** Default `local`; `none` is NoAuth, `given` a `puppeteer.userDataDir`. */
  readonly auth?: 'local' | 'none' | 'given';
  /** Default: the whatsapp-web.js that the project is developed with. */
  readonly library?: Library;
  /** Default: the class of the sources. The demo uses the class of the built package. */
  readonly Session?: typeof PersistentSession;
}

/** A real whatsapp-web.js client against the simulator, made persistent. A new instance represents a new process. */
export class PersistentBot {
  readonly client: Client;
  readonly session: PersistentSession;
  readonly authPath: string;
  readonly sessionPath: string;
  readonly backupPath: string;
  /** The values that the bot's own `qr` listener received. */
  readonly qrCodes: string[] = [];
  /** Every event of the session, oldest first. */
  readonly events: { readonly name: SessionEventName; readonly payload: unknown; readonly at: number }[] = [];

  constructor({
    simulator,
    folder,
    session,
    client,
    auth = 'local',
    library,
    Session = PersistentSession,
  }: PersistentBotOptions) {
    this.authPath = join(folder, 'auth');
    this.sessionPath = join(folder, 'persistent-session');
    this.backupPath = join(folder, 'session-backup');
    this.client = createBot({
      simulator,
      auth: auth === 'local' ? 'local' : 'none',
      ...(auth === 'local' && { dataPath: this.authPath, clientId: CLIENT_ID }),
      ...(auth === 'given' && { userDataDir: join(this.authPath, 'given') }),
      ...(client && { clientOptions: client }),
      ...(library && { library }),
    });
    this.client.on('qr', (qr: string) => this.qrCodes.push(qr));
    this.session = new Session(this.client, {
      ...(auth !== 'local' && { clientId: CLIENT_ID }),
      sessionPath: this.sessionPath,
      backupPath: this.backupPath,
      reconnectDelayMs: 500,
      ...session,
    });
    const emit = this.session.emit.bind(this.session) as (
      name: SessionEventName,
      payload: unknown,
    ) => boolean;
    Object.assign(this.session, {
      emit: (name: SessionEventName, payload: unknown) => {
        this.events.push({ name, payload, at: performance.now() });
        return emit(name, payload);
      },
    });
  }

  get profileDir(): string {
    return this.session.status().paths.profile;
  }

  payloads<Name extends SessionEventName>(name: Name): SessionEventPayloads[Name][] {
    return this.events
      .filter((event) => event.name === name)
      .map(({ payload }) => payload as SessionEventPayloads[Name]);
  }

  /** The session's next event with this name. Call it before the action that causes the event. */
  once<Name extends SessionEventName>(name: Name): Promise<SessionEventPayloads[Name]> {
    return waitForEvent<SessionEventPayloads[Name]>(this.session, name, PATIENCE_MS);
  }

  /** The client's next event with this name. Call it before the action that causes the event. */
  async next(name: 'ready' | 'qr' | 'code' | 'disconnected'): Promise<unknown> {
    return waitForEvent(this.client, name, PATIENCE_MS);
  }

  /** Starts without a login, scans, and waits for `ready`. */
  async logIn(simulator: WhatsAppSimulator): Promise<void> {
    const ready = this.next('ready');
    await this.session.initialize();
    await simulator.scan();
    await ready;
  }

  /** Waits for the first save with both halves of the login, because Local Storage takes a while to reach the disk. */
  async settledSave(): Promise<SnapshotInfo> {
    const known = this.payloads('save:completed').find(({ snapshot }) => snapshot.settled);
    if (known) return known.snapshot;
    type Saved = SessionEventPayloads['save:completed'];
    for (;;) {
      const { snapshot } = await waitForEvent<Saved>(this.session, 'save:completed', SETTLING_MS);
      if (snapshot.settled) return snapshot;
    }
  }
}
