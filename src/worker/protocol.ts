import type { GatedFolders } from '../disk-gate/gated-file-system.js';
import type { PortableError } from '../portable-error.js';

/** What the bot's thread sends to the worker. */
export type ToWorker =
  | {
      readonly type: 'run';
      readonly id: number;
      readonly task: string;
      readonly input: unknown;
      /** Folders of the session that may hang. */
      readonly gatedFolders?: GatedFolders;
    }
  | { readonly type: 'abort'; readonly id: number; readonly reason: PortableError }
  /** Asks whether the thread still turns. */
  | { readonly type: 'ping' };

/** What the worker sends back. */
export type FromWorker =
  /** The worker is loaded. If its version is not the caller's, the file is stale and is not used. */
  | { readonly type: 'ready'; readonly version: string }
  | { readonly type: 'done'; readonly id: number; readonly output: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: PortableError }
  /** The worker has no task of this name: nothing was started. */
  | { readonly type: 'unknown'; readonly id: number }
  | { readonly type: 'pong' };
