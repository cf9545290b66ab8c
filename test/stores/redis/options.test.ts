import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/errors.js';
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/index.js';
import { checkOptions } from '../../../src/stores/redis/options.js';
import { allWordsOf } from './fixture.js';

const URL_WITH_SECRET = 'rediss://user:marker-secret@db.example:6380/2';

describe('the options of RedisStore', () => {
  it.each<[RedisStoreOptions]>([
    [{ url: URL_WITH_SECRET }],
    [{ url: 'redis://:p%40ss@[::1]?family=0' }],
    [{ host: 'db.example', port: 6380, username: 'u', password: async () => 'p', db: 1, tls: { ca: 'x' } }],
    [{ client: { callBuffer: async () => 1, on: () => undefined } }],
    [{ client: { sendCommand: async () => 1, on: () => undefined } }],
  ])('are taken, and open no connection before the first call: %#', async (options) => {
    const store = new RedisStore({ ...options, prefix: 'bots.1', name: 'main' });
    expect(store.name).toBe('main');
    await store.close();
  });

  it('are read from an address', () => {
    expect(checkOptions({ url: URL_WITH_SECRET }).from).toEqual({
      settings: {
        host: 'db.example',
        port: 6380,
        db: 2,
        username: 'user',
        password: 'marker-secret',
        tls: {},
      },
    });
    expect(checkOptions({ url: 'redis://:p%40ss@[::1]?family=6' }).from).toEqual({
      settings: { host: '::1', port: 6379, db: 0, family: 6, password: 'p@ss' },
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /RedisStore: undefined is not accepted; expected an object with client/],
    ['no place', {}, /needs one of client, url and host, and has none/],
    ['two places', { host: 'a', url: URL_WITH_SECRET }, /has url and host/],
    ['an unknown option', { host: 'a', prefex: 'x' }, /has no option "prefex"; it has client, /],
    ['an address of another kind', { url: 'http://u:marker-secret@a/1' }, /url: .*not shown/],
    ['a @ in the password', { url: 'redis://u:marker@secret@a/1' }, /percent-encoded/],
    ['a / in the password', { url: 'redis://u:12/marker-secret@a/1' }, /percent-encoded/],
    ['a # in the password', { url: 'redis://u:1#marker-secret@a/1' }, /not shown/],
    ['a % in the password', { url: 'redis://u:marker-secret%zz@a/1' }, /percent-encoded/],
    ['bytes that are no text in the password', { url: 'redis://u:marker-secret%ff@a/1' }, /UTF-8/],
    ['a name of a database', { url: 'redis://u:marker-secret@a/bots' }, /number of a database/],
    [
      'a parameter that is none',
      { url: 'redis://a/1?marker-secret' },
      /a parameter is not accepted; expected family/,
    ],
    ['a parameter with @', { url: 'redis://a:12?marker-secret@host/0' }, /percent-encoded/],
    ['a value with @', { url: 'redis://a:12?family=marker-secret@host/0' }, /percent-encoded/],
    ['a parameter', { url: 'redis://a/1?password=marker-secret' }, /the parameter "password".*family/],
    ['no TLS beside rediss://', { url: URL_WITH_SECRET, tls: false }, /tls: false beside rediss/],
    ['no text as address', { url: 5 }, /url: a number/],
    ['an address as host', { host: URL_WITH_SECRET }, /host: an address is not accepted/],
    ['a port of 0', { host: 'a', port: 0 }, /port: 0 is not accepted; expected an integer from 1 to 65535/],
    ['a password that is none', { host: 'a', password: 5 }, /password: a number/],
    ['a user without a password', { host: 'a', username: 'u' }, /username needs a password/],
    ['a db below 0', { host: 'a', db: -1 }, /db: -1/],
    ['a db beside an address', { url: URL_WITH_SECRET, db: 1 }, /db is not used together with url/],
    ['tls as text', { host: 'a', tls: 'require' }, /tls: a string/],
    ['a prefix with a brace', { host: 'a', prefix: '{a}' }, /prefix: "\{a\}".*1 to 100 of/],
    ['an empty name', { host: 'a', name: '' }, /name: ""/],
    [
      'a client that is none',
      { client: URL_WITH_SECRET },
      /client: a string is not accepted; expected a client/,
    ],
    ['an object as client', { client: { on() {} } }, /an object without sendCommand/],
  ])('are refused: %s', (_, options, message) => {
    const make = () => new RedisStore(options as RedisStoreOptions);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
    try {
      make();
    } catch (error) {
      expect(allWordsOf(error)).not.toMatch(/marker|secret/);
    }
  });
});
