import { join } from 'node:path';
import type { Client } from 'whatsapp-web.js';
import type { PersistentSession, SessionEventPayloads, SnapshotInfo } from '../../src/index.js';
import { createBot, waitForEvent } from '../../test/simulator/client.js';
import type { WhatsAppSimulator } from '../../test/simulator/server.js';

// The built package, as a bot gets it; the types are those of its sources, so that they are there before the build.
const library: typeof import('../../src/index.js') = await import('wwebjs-persistent-session' as string);

const CLIENT_ID = 'demo';
const PATIENCE_MS = 40_000;

/** An ordinary bot with LocalAuth, made persistent; every instance stands for a new process. */
export class DemoBot {
  readonly client: Client;
  readonly session: PersistentSession;
  readonly authPath: string;
  readonly sessionPath: string;
  readonly profileDir: string;
  qrCodes = 0;
  restores = 0;
  readonly #settled: Promise<SnapshotInfo>;

  constructor(simulator: WhatsAppSimulator, folder: string) {
    this.authPath = join(folder, 'auth');
    this.sessionPath = join(folder, 'persistent-session');
    this.profileDir = join(this.authPath, `session-${CLIENT_ID}`);
    this.client = createBot({ simulator, dataPath: this.authPath, clientId: CLIENT_ID });
    this.client.on('qr', () => {
      this.qrCodes++;
    });
    this.session = new library.PersistentSession(this.client, {
      sessionPath: this.sessionPath,
      backupPath: join(folder, 'session-backup'),
      reconnectDelayMs: 1_000,
    });
    this.session.on('restore:completed', () => {
      this.restores++;
    });
    this.session.on('state:changed', ({ to, cause }) =>
      console.log(`    ${to}${cause ? ` (${cause})` : ''}`),
    );
    this.session.on('warning', ({ code, message }) => console.log(`    warning ${code}: ${message}`));
    this.#settled = new Promise((resolve) => {
      this.session.on('save:completed', ({ snapshot }) => {
        console.log(`    saved ${snapshot.id}${snapshot.settled ? '' : ' (not settled yet)'}`);
        if (snapshot.settled) resolve(snapshot);
      });
    });
  }

  /** The client's next event of this name. */
  async next(event: 'ready' | 'qr'): Promise<void> {
    await waitForEvent(this.client, event, PATIENCE_MS);
  }

  /** The session's next event of this name. */
  once<Name extends 'restore:completed' | 'session:revoked'>(
    event: Name,
  ): Promise<SessionEventPayloads[Name]> {
    return waitForEvent(this.session, event, PATIENCE_MS) as unknown as Promise<SessionEventPayloads[Name]>;
  }

  /** The first save that holds both halves of the login (Local Storage takes seconds to reach the disk). */
  settledSave(): Promise<SnapshotInfo> {
    return this.#settled;
  }
}
