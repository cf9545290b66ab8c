import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { ANNA } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('the disk is set back, and the store with the later runs is away at that start', () => {
  const stage = useFakeStage();

  it.each(['saved, and stopped', 'stopped', 'saved, and killed'])(
    'the profile that goes on is not replaced by the older runs at the next start: %s',
    async (how) => {
      const backupStore = new MemoryStore({ clock: stage().clock, name: 'remote' });
      const newBot = () => stage().bot({ session: { backupStore } });
      const first = newBot();
      await first.logIn(ANNA);
      await stage().clock.advance(20_000);
      await first.backUp('the first run');
      await first.stop();
      const image = await stage().copyTree('/bot');
      for (const run of ['second', 'third', 'fourth']) {
        const later = newBot();
        await later.start();
        await stage().clock.advance(20_000);
        await later.backUp(`the ${run} run`);
        await later.stop();
      }
      await stage().remove('/bot');
      await image.putAt('/bot');
      backupStore.setDown(true);
      const setBack = newBot();
      await setBack.start();
      await stage().clock.advance(20_000);
      backupStore.setDown(false);
      if (how.startsWith('saved')) await setBack.backUp('the newest');
      else
        await setBack.client.writeLogin({
          ...(await setBack.client.readLogin()),
          credential: 'credential-1',
          note: 'the newest',
        });
      if (how === 'saved, and killed') setBack.client.pupBrowser?.kill();
      await setBack.stop();
      const next = newBot();
      await next.start();
      expect([next.state, (await next.client.readLogin())?.note]).toEqual(['ready', 'the newest']);
      expect(next.session.status().run).toBeGreaterThan(4);
    },
  );
});
