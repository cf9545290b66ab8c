import { describe, expect, it } from 'vitest';
import { ANNA } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

/** `tar x` or `rsync` without `--delete` overwrites what is there, and leaves what came since. */
describe('an older state of the whole bot is put back over it', () => {
  const stage = useFakeStage();
  const newBot = () => stage().bot({ session: { backupPath: '/bot/backup' } });

  it.each(['the profile is there', 'the profile is lost', 'the profile and its record are lost'])(
    'a login that was scanned and saved since is tried before a QR: %s',
    async (what) => {
      const first = newBot();
      await first.logIn(ANNA);
      await stage().clock.advance(20_000);
      await first.backUp('before');
      await first.stop();
      const night = await stage().copyTree('/bot');
      const second = newBot();
      await second.start();
      await second.client.logOutByPhone();
      await second.untilState('awaiting_qr');
      await stage().clock.advance(3_600_000);
      await second.client.scan(ANNA);
      await second.untilState('ready');
      await stage().clock.advance(20_000);
      await second.save('since');
      await second.backUp('since');
      await second.stop();
      await stage().clock.advance(60_000);
      await night.putAt('/bot');
      if (what === 'the profile is lost') await stage().remove('/bot/auth/session-shop');
      if (what === 'the profile and its record are lost') await stage().remove('/bot/auth');
      const again = newBot();
      await again.start();
      expect([again.state, (await again.client.readLogin())?.note]).toEqual(['ready', 'since']);
      expect(again.codes).toEqual([]);
      expect(again.warnings).not.toContain('login-rejected');
    },
  );
});
