import { describe, expect, it } from 'vitest';
import { useFakeStage } from '../support/fake-stage.js';

describe('a stopped session whose next start is refused', () => {
  const stage = useFakeStage();

  it('is at rest: no timer and no health check, also after destroy()', async () => {
    await stage().loggedInOnce();
    const old = stage().bot();
    await old.start();
    await old.stop();
    const next = stage().bot();
    await next.start();
    await expect(old.start()).rejects.toMatchObject({ code: 'PROFILE_LOCKED' });
    await old.stop();
    await next.stop();
    const checks = old.payloads('health:checked').length;
    await stage().clock.advance(600_000);
    expect(old.state).toBe('stopped');
    expect(old.payloads('health:checked')).toHaveLength(checks);
    expect(stage().clock.pendingTimers).toBe(0);
  });

  it('leaves nothing behind, however often a new client is made', async () => {
    await stage().loggedInOnce();
    let last = stage().bot();
    await last.start();
    for (let round = 0; round < 5; round++) {
      const old = last;
      old.client.pupBrowser?.kill();
      last = stage().bot();
      await last.start();
      await old.client.initialize().catch(() => undefined); // as a bot's own listener of `disconnected` does
    }
    await last.stop();
    await stage().clock.advance(60_000);
    expect(stage().clock.pendingTimers).toBe(0);
  });
});
