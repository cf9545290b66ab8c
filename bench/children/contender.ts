/** One side, RemoteAuth or this library, in its own process with its own profile. */
export interface Contender {
  /** Brings up a bot that is `ready`, or a stopped one that has worked in this process before. */
  open(as: 'ready' | 'stopped'): Promise<void>;
  save(): Promise<'stored' | 'unchanged'>;
  backUp(): Promise<'stored' | 'unchanged'>;
  restore(kind: 'save' | 'backup'): Promise<void>;
  /** Starts the bot, up to the launch of the browser. */
  untilLaunch(): Promise<void>;
  /** Ends all work of the bot. */
  close(): Promise<void>;
  /** The folder in which the last save or backup is stored. */
  storeOf(kind: 'save' | 'backup'): string;
}
