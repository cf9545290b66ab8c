export type { IoRedisClient, NodeRedisClient } from './clients.js';
export type { RedisStoreOptions } from './options.js';
export { RedisStore } from './redis-store.js';
