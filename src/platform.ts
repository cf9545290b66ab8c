/** Where the bot runs, and on what kind of disk its files lie. */
export {
  defaultPaths,
  detectPlatform,
  type Environment,
  foldsCase,
  type PlatformName,
  shutdownBudgetMs,
} from './platform/detect-platform.js';
export { type DiskSpace, deviceOf, diskSpace } from './platform/disk-space.js';
export { memoryLimitBytes } from './platform/memory-limit.js';
export { readStorageFacts } from './platform/read-storage-facts.js';
export {
  describeStorage,
  parseMountinfo,
  readMountinfo,
} from './platform/storage.js';
export { isEphemeral, type StorageFacts, storageWarnings } from './platform/storage-warnings.js';
