import { describe, expect, it } from 'vitest';
import { createSessionHandler, type SessionLike } from '../../src/http/index.js';
import { FakeStage } from '../support/fake-stage.js';

describe('a PersistentSession', () => {
  it('is what the handler takes', async () => {
    const { session } = new FakeStage().bot();
    const taken: SessionLike = session;
    const { GET, close } = createSessionHandler(taken, { auth: 'none' });
    expect((await GET(new Request('http://localhost/healthz'))).status).toBe(200);
    close();
  });
});
