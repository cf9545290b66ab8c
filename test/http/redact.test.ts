import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/http/redact.js';

const redactor = new Redactor(() => ['the-token-itself']);

describe('what is told', () => {
  it.each([
    ['postgres://bot:hunter2@db:5432/x', 'postgres://***@db:5432/x'],
    ['redis://:hunter2@cache', 'redis://***@cache'],
    ['password=hunter2 host=db', 'password=*** host=db'],
    ['{"secretAccessKey": "hunter2"}', '{"secretAccessKey=***"}'],
    ['Authorization: Bearer hunter2hunter2', 'Authorization=***'],
    ['got "bearer hunter2hunter2"', 'got "bearer ***"'],
    ['the-token-itself was sent', '*** was sent'],
    [
      'no snapshot has the id "20261123T051409123Z-1a2b3c4d"',
      'no snapshot has the id "20261123T051409123Z-1a2b3c4d"',
    ],
    ['could not reach redis://a:b@c,redis://d:e@f', 'could not reach redis://***@f'],
    ['https://s3/x?sig=hunter2&x=1 failed', 'https://s3/x?sig=***&x=1 failed'],
    ['{"password":"a, b","user":"bot"}', '{"password=***","user":"bot"}'],
    [
      'AccountName=a;AccountKey=hunter2==;EndpointSuffix=core',
      'AccountName=a;AccountKey=***;EndpointSuffix=core',
    ],
    ['(password=hunter2), user=bot', '(password=***), user=bot'],
    ['the snapshot was passed over: it is torn', 'the snapshot was passed over: it is torn'],
    ["'/bot/.wwebjs_auth': EACCES", "'/bot/.wwebjs_auth': EACCES"],
    ['/run/secrets: permission denied', '/run/secrets: permission denied'],
    ['authors: 3, sigma: 4, compass: north', 'authors: 3, sigma: 4, compass: north'],
    ['https://example.com/a and me@example.com', 'https://example.com/a and me@example.com'],
    ['password="" is empty', 'password="" is empty'],
    ['first line\n    at f (/app/x.js)', 'first line'],
    ['', 'no message'],
  ])('of %s is %s', (text, told) => {
    expect(redactor.message(text)).toBe(told);
  });

  it.each([
    'connect failed: DB_PASSWORD=hunter2secret',
    'env PGPASSWORD=hunter2secret is wrong',
    'DB_PASSWORD=a&hunter2secret',
    'AWS_SECRET_ACCESS_KEY=hunter2secret rejected',
    'client_secret=hunter2secret rejected',
    'refresh_token: hunter2secret',
    'could not reach postgres://bot:p@hunter2secret@db.example/x',
    'could not reach postgres://bot:a/hunter2secret@db.example/x',
    `redis://bot:${'x'.repeat(5000)}hunter2secret@cache`,
    'password="my hunter2secret phrase"',
    "password='it''s hunter2secret'",
    '{"password":"a,hunter2secret"}',
    '{"password":"a\\"b hunter2secret"}',
    '{\\"password\\":\\"a b hunter2secret\\"}',
    'password="a hunter2secret',
    'password=a,hunter2secret',
    'user[password]=hunter2secret',
    'password => hunter2secret',
    'password%3Dhunter2secret',
    'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2secret;EndpointSuffix=core',
    'GET https://x.blob.core/y?sv=1&sig=hunter2secret failed',
    'GET https://s3/x?X-Amz-Signature=hunter2secret&X-Amz-Security-Token=hunter2secret failed',
    'https://api.example/x?auth=hunter2secret',
    'x-api-key: hunter2secret',
    'apikey=hunter2secret',
    'private_key=hunter2secret',
    'private_key=-----BEGIN RSA PRIVATE KEY-----\\nhunter2secret\\n-----END RSA PRIVATE KEY-----',
    'proxy http://user:hunter2secret@proxy:8080 refused',
    'password: Bearer hunter2secret',
    'Authorization: Digest hunter2secret',
    'Authorization: Digest username="bot", response="hunter2secret"',
    'Cookie: a=b; session=hunter2secret',
    'DASHBOARD_TOKEN=hunter2secret',
    'dbPass=hunter2secret',
    'passwordHash=hunter2secret',
    `${'a'.repeat(500)}_password=hunter2secret`,
  ])('holds no secret: %s', (text) => {
    expect(redactor.text(text)).not.toContain('hunter2secret');
  });

  it('keeps the shape of a value', () => {
    const value = { a: ['redis://:x@y', 1, null, true], b: { c: 'plain' } };
    expect(redactor.value(value)).toEqual({ a: ['redis://***@y', 1, null, true], b: { c: 'plain' } });
  });

  it.each([
    ...[
      'a.',
      'a-',
      'a:/',
      'a://',
      'a://@',
      '@',
      'token ',
      'password=',
      'password="',
      'password=" ',
      'bearer ',
    ],
    ...['=', 'a=', '"=', '\\', '\\" :', ' ', 'auth:\n', 'token=,', '-----BEGIN KEY-----', "pw=''", "pw='\\'"],
  ])('takes no quadratic time for "%s" and more', (piece) => {
    // It would be minutes, which the runner would not wait for.
    expect(redactor.text(piece.repeat(200_000)).length).toBeGreaterThan(0);
  });
});
