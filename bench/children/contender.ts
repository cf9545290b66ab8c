/** One side in one process: RemoteAuth or ours, over a profile of its own. */
export interface Contender {
  /** Gets as far as a bot that is `ready`, or that is stopped but has been at work in this process before. */
  open(as: 'ready' | 'stopped'): Promise<void>;
  save(): Promise<'stored' | 'unchanged'>;
  backUp(): Promise<'stored' | 'unchanged'>;
  restore(kind: 'save' | 'backup'): Promise<void>;
  /** A start of the bot, until the browser would be launched. */
  untilLaunch(): Promise<void>;
  /** Comes to rest; nothing is at work afterwards. */
  close(): Promise<void>;
  /** Folder of what the last save or backup has stored. */
  storeOf(kind: 'save' | 'backup'): string;
}
