import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasPrograms } from '../servers/installed.js';
import { hasRedis, PASSWORD } from '../servers/redis-server.js';
import { freePort } from '../servers/server-process.js';
import { allWordsOf, withServer } from './fixture.js';

describe.skipIf(!hasRedis || !hasPrograms('TLS', ['openssl']))('RedisStore over TLS', () => {
  const place = withServer();

  it('refuses a certificate that is not trusted, and works with its ca', async () => {
    const { server } = place;
    const { certificate, key } = makeCertificate((name) => server.fileOf(name));
    const port = await freePort();
    await server.kill();
    await server.restart(
      ...['--tls-port', `${port}`, '--tls-auth-clients', 'no'],
      ...['--tls-cert-file', certificate, '--tls-key-file', key],
    );
    const url = server.urlFor({ port }).replace('redis:', 'rediss:');
    const refused: unknown = await place
      .store({ url })
      .head('a')
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'STORE', retryable: false });
    expect(String(refused)).toMatch(/certificate.*not trusted: give the option tls its ca/);
    expect(allWordsOf(refused)).not.toContain(PASSWORD);

    const store = place.store({ url, tls: { ca: readFileSync(certificate, 'utf8') } });
    await store.put('a', Buffer.alloc(5_000_000));
    expect((await store.head('a'))?.size).toBe(5_000_000);
    await place.store({ url, tls: { rejectUnauthorized: false } }).head('a');
  });

  it('says what may be wrong where the port has TLS, and the address has not', async () => {
    const { server } = place;
    const port = Number(((await server.run('CONFIG', 'GET', 'tls-port')) as string[])[1]);
    const error: unknown = await place
      .store({ url: server.urlFor({ port }) })
      .head('a')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORE', retryable: true });
    expect(allWordsOf(error)).not.toContain(PASSWORD);
  });
});

/** One that is signed by itself, for the loopback address. */
function makeCertificate(pathOf: (name: string) => string): { certificate: string; key: string } {
  const [certificate, key] = [pathOf('test.crt'), pathOf('test.key')];
  const { status, stderr } = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-out', certificate, '-keyout', key],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return { certificate, key };
}
