import { describe, expect, it } from 'vitest';
import { S3Store, type S3StoreOptions } from '../../../src/stores/s3/index.js';

const client = { send: () => undefined, config: {} };

describe('the options of S3Store', () => {
  it('connect to nothing by themselves', async () => {
    const store = new S3Store({ bucket: 'my-bots', endpoint: 'http://127.0.0.1:1' });
    expect(store.name).toBe('s3');
    expect(store.capabilities).toEqual({ conditionalPut: true });
    await store.close();
  });

  it.each<[string, Record<string, unknown>]>([
    ['bucket', {}],
    ['bucket', { bucket: '' }],
    ['bucket', { bucket: 'a b' }],
    ['name', { bucket: 'bots', name: '' }],
    ['prefix', { bucket: 'bots', prefix: '/bots' }],
    ['prefix', { bucket: 'bots', prefix: '../bots' }],
    ['prefix', { bucket: 'bots', prefix: 'x'.repeat(120) }],
    ['region', { bucket: 'bots', region: 5 }],
    ['endpoint', { bucket: 'bots', endpoint: 's3.example.com' }],
    ['endpoint', { bucket: 'bots', endpoint: 'ftp://s3.example.com' }],
    ['endpoint', { bucket: 'bots', endpoint: 'https://user:MARKED@s3.example.com' }],
    ['endpoint', { bucket: 'bots', endpoint: 'https://s3.example.com?key=MARKED' }],
    ['secretAccessKey', { bucket: 'bots', credentials: { accessKeyId: 'MARKED' } }],
    ['accessKeyId', { bucket: 'bots', credentials: { secretAccessKey: 'MARKED' } }],
    ['credentials', { bucket: 'bots', credentials: 'MARKED' }],
    ['forcePathStyle', { bucket: 'bots', forcePathStyle: 'yes' }],
    ['requestTimeoutMs', { bucket: 'bots', requestTimeoutMs: 1 }],
    ['client', { bucket: 'bots', client: {} }],
    ['region', { bucket: 'bots', client, region: 'eu-central-1' }],
  ])('names %s where it is wrong: %j', (option, options) => {
    const make = () => new S3Store(options as unknown as S3StoreOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(make).toThrow(option);
    expect(make).not.toThrow('MARKED');
  });
});
