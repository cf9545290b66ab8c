export type { PostgresPool, PostgresPoolClient } from './connections.js';
export type { PostgresStoreOptions } from './options.js';
export { PostgresStore } from './postgres-store.js';
