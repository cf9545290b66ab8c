import { PostgresStore } from '../../../../src/stores/postgres/index.js';

/** Uses a store and does not close it: the process must end by itself. */
const store = new PostgresStore({ connectionString: process.argv[2] ?? '', schema: 'one_put' });
await store.put('shop/a', Buffer.from('hello'));
console.log((await store.head('shop/a'))?.size);
