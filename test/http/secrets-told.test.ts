import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { BACKUP } from './support/fake-session.js';
import { API, useHttpStage } from './support/http-stage.js';

const SECRET = 'hunter2secret';
const NAME = `postgres://bot:${SECRET}@db/x`;

describe('a secret in what a store or the session says', () => {
  const stage = useHttpStage();

  it('as the name of a store stands in no status', async () => {
    stage().session.answer('listSnapshots', async () => [{ ...BACKUP, store: NAME }]);
    const { json, text } = await stage().call(API);
    expect(json).toMatchObject({ session: { snapshots: [{ id: BACKUP.id, store: 'postgres://***@db/x' }] } });
    expect(text).not.toContain(SECRET);
  });

  it('as a path stands in no status', async () => {
    const status = stage().session.status();
    stage().session.status = () => ({ ...status, paths: { ...status.paths, backup: NAME } });
    expect((await stage().call(API)).text).not.toContain(SECRET);
  });

  it('stands in no result of an action', async () => {
    stage().session.answer('backup', async () => ({
      snapshot: { ...BACKUP, store: NAME },
    }));
    expect((await stage().act({ action: 'backup' }, { query: '?wait' })).text).not.toContain(SECRET);
  });

  it.each([
    `could not reach ${NAME}`,
    `could not reach postgres://bot:p@${SECRET}@db.example/x`,
    `could not reach postgres://bot:a/${SECRET}@db.example/x`,
    `connect: PGPASSWORD=${SECRET} is refused`,
    `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${SECRET};EndpointSuffix=core`,
    `GET https://x.blob.core/y?sv=1&sig=${SECRET} failed`,
  ])('stands in no error of an action: %s', async (message) => {
    stage().session.fail('backup', new StoreError(message));
    expect((await stage().act({ action: 'backup' }, { query: '?wait' })).text).not.toContain(SECRET);
  });

  it('does not hide the code that waits to be scanned', async () => {
    stage().session.client.emit('qr', '2@abc,def,ghi');
    expect((await stage().call(API)).json).toMatchObject({ qr: { value: '2@abc,def,ghi' } });
  });
});
