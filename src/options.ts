export { DEFAULT_OPTIONS } from './options/defaults.js';
export { type OptionsContext, resolveOptions } from './options/resolve.js';
export type {
  PersistentSessionOptions,
  ResolvedOptions,
} from './options/types.js';
