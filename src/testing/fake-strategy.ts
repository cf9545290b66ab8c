import { join, resolve } from 'node:path';
import type { FileSystem } from '../file-system.js';

/** The part of the client that a strategy needs. */
export interface FakeStrategyClient {
  readonly options: { puppeteer: Record<string, unknown> };
}

export interface FakeLocalAuthOptions {
  readonly dataPath: string;
  readonly clientId?: string;
}

/** NoAuth: keeps no login by itself. */
export class FakeNoAuth {
  protected readonly client: FakeStrategyClient;
  protected readonly fs: FileSystem;

  constructor(client: FakeStrategyClient, fs: FileSystem) {
    this.client = client;
    this.fs = fs;
  }

  async beforeBrowserInitialized(): Promise<void> {}
  async afterBrowserInitialized(): Promise<void> {}
  async afterAuthReady(): Promise<void> {}
  async disconnect(): Promise<void> {}
  async destroy(): Promise<void> {}
  async logout(): Promise<void> {}
}

/** LocalAuth of whatsapp-web.js 1.34.7; the library recognises it by its name and shape, like the real one. */
class LocalAuth extends FakeNoAuth {
  readonly dataPath: string;
  readonly clientId: string | undefined;
  readonly rmMaxRetries = 4;
  userDataDir: string | undefined;

  constructor(client: FakeStrategyClient, fs: FileSystem, options: FakeLocalAuthOptions) {
    super(client, fs);
    this.dataPath = resolve(options.dataPath);
    this.clientId = options.clientId;
  }

  override async beforeBrowserInitialized(): Promise<void> {
    const { puppeteer } = this.client.options;
    const userDataDir = join(this.dataPath, this.clientId ? `session-${this.clientId}` : 'session');
    if (puppeteer.userDataDir !== undefined && puppeteer.userDataDir !== userDataDir) {
      throw new Error('LocalAuth is not compatible with a user-supplied userDataDir.');
    }
    await this.fs.promises.mkdir(userDataDir, { recursive: true });
    this.client.options.puppeteer = { ...puppeteer, userDataDir };
    this.userDataDir = userDataDir;
  }

  /** Deletes the profile, even while a browser uses it. */
  override async logout(): Promise<void> {
    if (this.userDataDir !== undefined) {
      await this.fs.promises.rm(this.userDataDir, { recursive: true, force: true });
    }
  }
}

export { LocalAuth as FakeLocalAuth };
