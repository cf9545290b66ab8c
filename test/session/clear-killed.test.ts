import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { FakeClient } from '../../src/testing/fake-client.js';
import { ANNA, BEN } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

describe('clear() whose process was killed', () => {
  const stage = useFakeStage();

  it.each(['soon (3 s)', 'two days'])(
    'does not delete a login that was scanned by the plain bot since: %s',
    async (when) => {
      const { fs, whatsApp, clock } = stage();
      let isDead = false;
      let left = Number.POSITIVE_INFINITY;
      const changing = /^(rm|unlink|rename|rmdir|writeFile|mkdir|link|copyFile|open)$/;
      const mortal = {
        ...fs,
        promises: new Proxy(fs.promises, {
          get(target, name) {
            const method: unknown = Reflect.get(target, name);
            if (typeof method !== 'function') return method;
            return (...given: unknown[]) => {
              if (changing.test(String(name)) && --left < 0) isDead = true;
              return isDead
                ? Promise.reject(Object.assign(new Error('the process has ended'), { code: 'EIO' }))
                : (method.apply(target, given) as unknown);
            };
          },
        }),
      } as FileSystem;
      const first = stage().bot({ session: { fs: mortal } });
      await first.logIn(ANNA);
      await clock.advance(20_000);
      await first.backUp('of Anna');
      left = 9;
      await first.finish(first.session.clear().catch(() => undefined));
      await first.finish(first.session.destroy().catch(() => undefined));
      expect(isDead).toBe(true);
      for (const path of await stage().filesBelow('/bot'))
        if (path.includes('/lease/') || path.includes('/.lock-')) await stage().remove(path);

      // The library is taken out for a while ("is it the cause?"), the plain bot shows a QR, Ben scans.
      await clock.advance(when === 'two days' ? 172_800_000 : 3_000);
      await stage().remove(first.client.profileDir);
      const plain = new FakeClient({
        whatsApp,
        fs,
        localAuth: { dataPath: join('/bot', 'auth'), clientId: 'shop' },
      });
      await plain.initialize();
      await plain.scan(BEN);
      await plain.destroy();

      const again = stage().bot();
      await again.start();
      const quarantined = (await stage().filesBelow('/bot')).some((path) => path.includes('quarantine'));
      expect([again.state, again.client.info?.wid._serialized, quarantined]).toEqual(['ready', BEN, false]);
      expect(again.warnings).toContain('profile-replaced');
    },
  );

  it('leaves no temporary file for good', async () => {
    const { fs } = stage();
    const first = stage().bot();
    await first.logIn(ANNA);
    await first.finish(first.session.clear());
    await first.stop();
    const [note = ''] = (await stage().filesBelow('/bot/session')).filter((path) =>
      path.includes('.cleared-'),
    );
    await fs.promises.writeFile(`${note}.tmp`, '{"format":1,');
    await stage().bot().start();
    const left = (await stage().filesBelow('/bot/session')).filter((path) => path.includes('.cleared-'));
    expect(left).toEqual([note]);
  });
});
