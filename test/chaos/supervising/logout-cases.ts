import assert from 'node:assert/strict';
import type { SuperviseCase } from './case.js';
import type { SuperviseScene } from './scene.js';

/** Logouts on the phone, which are the only reason for a new QR. */
export const LOGOUT_CASES: readonly SuperviseCase[] = [
  {
    name: 'logout by the phone, then a new scan',
    expected: { states: ['restoring', 'starting', 'awaiting_qr', 'authenticated', 'ready'], qrs: 1 },
    run: async (scene) => {
      const bot = await scene.ready();
      const ready = scene.next(bot, 'ready');
      await scene.simulator.logoutFromPhone();
      await scene.simulator.scan();
      await ready;
      assert.deepEqual(bot.payloads('session:revoked'), [{ cause: 'phone' }]);
      assert.deepEqual(bot.payloads('restore:started'), [], 'dead credentials are never restored');
      await bot.session.forceSave().catch(() => undefined);
      scene.conclude();
      await bot.session.destroy();
      await startsWithoutQr(scene);
    },
  },
  {
    name: "logout by the phone, onLogout: 'stop'",
    expected: { states: ['restoring', 'stopping', 'stopped'] },
    run: async (scene) => {
      const bot = await scene.ready({ session: { onLogout: 'stop' } });
      const stopped = scene.next(bot, 'stopped');
      await scene.simulator.logoutFromPhone();
      await stopped;
      assert.deepEqual(bot.payloads('session:revoked'), [{ cause: 'phone' }]);
    },
  },
  {
    name: 'unlinked by the phone while the bot was away',
    expected: { states: ['restoring', 'starting', 'restoring', 'starting', 'awaiting_qr'], qrs: 1 },
    run: async (scene) => {
      await scene.loggedInOnce();
      scene.simulator.revokeAccount();
      const bot = scene.bot();
      scene.watch(bot);
      await bot.session.initialize();
      assert.deepEqual(bot.payloads('session:revoked'), [{ cause: 'server' }]);
    },
  },
];

async function startsWithoutQr(scene: SuperviseScene): Promise<void> {
  const next = scene.bot();
  await next.session.initialize();
  assert.equal(next.session.state, 'ready', 'the start after it');
  assert.deepEqual(next.qrCodes, []);
}
