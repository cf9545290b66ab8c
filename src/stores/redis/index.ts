export type { IoRedisClient, NodeRedisClient } from './links.js';
export type { RedisStoreOptions } from './options.js';
export { RedisStore } from './redis-store.js';
