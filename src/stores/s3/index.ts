export type { S3Credentials, S3StoreOptions } from './options.js';
export { S3Store } from './s3-store.js';
