import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { ANNA, BEN } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };

describe('an earlier .wwebjs_auth that was put back by hand', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: BY_HAND });

  it('is told to be put aside for the later login, and comes back by the call that is named', async () => {
    const anna = newBot();
    await anna.logIn(ANNA);
    await anna.save('one');
    await anna.stop();
    const earlier = await stage().copyTree('/bot/auth');
    const again = newBot();
    await again.start();
    await stage().remove('/bot/auth/session-shop');
    again.client.pupBrowser?.kill();
    await again.untilState('awaiting_qr');
    await again.client.scan(BEN);
    await again.untilState('ready');
    await again.save('two');
    await again.stop();

    await stage().remove('/bot/auth');
    await earlier.putAt('/bot/auth');
    const next = newBot();
    await next.start();
    assert.equal(next.client.info?.wid._serialized, BEN);
    const told = next.payloads('warning').filter(({ code }) => code === 'profile-replaced');
    assert.equal(told.length, 1);
    const [, folder] = /moved to (\S+)\. /.exec(told[0]?.message ?? '') ?? [];
    assert.ok(await stage().exists(folder ?? '-'), told[0]?.message);
    const [, id] = /restore\('(.+?)'\)/.exec(told[0]?.message ?? '') ?? [];
    await next.finish(next.session.restore(id));
    await next.untilState('ready');
    assert.equal(next.client.info?.wid._serialized, ANNA);
    await next.stop();
    const last = newBot();
    await last.start();
    assert.equal(last.client.info?.wid._serialized, ANNA);
    assert.ok(!last.warnings.includes('profile-replaced'));
  });
});
