import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

/** A copy of a bucket that is still going on, or objects that come back an hour later. */
describe('copies that are damaged for a while', () => {
  const stage = useFakeStage();

  it.each(['lost', 'damaged'])(
    'are no login that WhatsApp has rejected: the manifests are there, the contents are not, and the profile is %s',
    async (how) => {
      const store = new MemoryStore({ name: 's3', clock: stage().clock });
      const { get, head } = store;
      let isThere = true;
      const isAway = (key: string) => !isThere && key.includes('/objects/');
      store.get = async (key, options) => (isAway(key) ? undefined : get.call(store, key, options));
      store.head = async (key, options) => (isAway(key) ? undefined : head.call(store, key, options));
      const newBot = () => stage().bot({ session: { forceSaveIntervalMs: 0, backupIntervalMs: 0, store } });
      const anna = newBot();
      await anna.logIn(ANNA);
      await anna.save('one');
      await anna.save('two');
      await anna.stop();
      if (how === 'lost') await stage().remove(anna.client.profileDir);
      else await stage().damageProfile(anna);
      isThere = false;
      const next = newBot();
      await next.start();
      expect(next.state).toBe('awaiting_qr');
      expect(next.warnings).toContain('nothing-to-restore');
      expect(next.warnings).not.toContain('login-rejected');
      await next.stop();
      isThere = true;
      const whole = newBot();
      await whole.start();
      expect([whole.state, (await whole.client.readLogin())?.note]).toEqual(['ready', 'two']);
    },
  );
});
