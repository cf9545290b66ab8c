import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasPrograms } from '../servers/installed.js';
import { hasPostgres, PASSWORD } from '../servers/postgres-server.js';
import { allWordsOf, withServer } from './fixture.js';

describe.skipIf(!hasPostgres || !hasPrograms('TLS', ['openssl']))('PostgresStore over TLS', () => {
  const place = withServer();

  it('refuses a certificate that is not trusted, and works with its ca', async () => {
    const { server } = place;
    const { certificate, key } = makeCertificate((name) => server.fileInData(name));
    server.owns(certificate, key);
    await server.kill();
    await server.restart('ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`);

    const strict = {
      host: '127.0.0.1',
      port: server.port,
      user: 'keeper',
      password: PASSWORD,
      database: 'postgres',
    };
    const refused: unknown = await place
      .store({ ...strict, ssl: true })
      .head('a')
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'STORE', retryable: false });
    expect(String(refused)).toMatch(/certificate.*not trusted: give the option ssl its ca/);
    expect(allWordsOf(refused)).not.toContain(PASSWORD);

    const store = place.store({ ...strict, ssl: { ca: readFileSync(certificate, 'utf8') } });
    await store.put('a', Buffer.alloc(5_000_000));
    expect((await store.head('a'))?.size).toBe(5_000_000);
    await place.store({ connectionString: `${server.urlFor()}?sslmode=no-verify` }).head('a');
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
