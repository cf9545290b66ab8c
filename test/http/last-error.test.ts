import { describe, expect, it } from 'vitest';
import { API, TOKEN, useHttpStage } from './support/http-stage.js';

const stage = useHttpStage();
const at = '2026-11-23T06:00:00.000Z';

describe('the last error of a session', () => {
  it('is told by the status, without the token and without a waiting code', async () => {
    const status = stage().session.status();
    const message = `net::ERR_TUNNEL at http://bot:pa55word@proxy:8080 with ${TOKEN}`;
    stage().session.status = () => ({
      ...status,
      state: 'failed',
      lastError: { code: 'INTERNAL', message, at },
    });
    const { json, text } = await stage().call(API);
    expect(json).toMatchObject({ session: { state: 'failed', lastError: { code: 'INTERNAL', at } } });
    expect(text).toContain('net::ERR_TUNNEL at http://***@proxy:8080 with ***');
    expect(text).not.toContain('pa55word');
    expect(text).not.toContain(TOKEN);
  });

  it('is told beside why the last copies came to nothing', async () => {
    const status = stage().session.status();
    const message = 'PUT http://key:pa55word@s3 refused';
    stage().session.status = () => ({
      ...status,
      lastSaveError: { code: 'no-space', message: 'no room', at },
      lastBackupError: { code: 'STORE', message, at },
    });
    const { json, text } = await stage().call(API);
    expect(json).toMatchObject({
      session: {
        lastSaveError: { code: 'no-space', message: 'no room', at },
        lastBackupError: { code: 'STORE', at },
      },
    });
    expect(text).not.toContain('pa55word');
  });

  it('is null where there is none', async () => {
    expect((await stage().call(API)).json).toMatchObject({ session: { lastError: null } });
  });
});
