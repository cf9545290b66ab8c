import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { ANNA, BEN } from '../support/accounts.js';
import { useFakeStage } from '../support/fake-stage.js';

describe("'Anna' and 'anna', backups on a disk that folds case", () => {
  const stage = useFakeStage();

  /** Below /mnt a name is found whatever its case, and keeps the case in which it was made. */
  function foldingFileSystem(): FileSystem {
    const { promises, ...rest } = stage().fs;
    const found = async (path: unknown): Promise<unknown> => {
      if (typeof path !== 'string' || !path.startsWith('/mnt/')) return path;
      let at = '/mnt';
      for (const part of path.slice('/mnt/'.length).split('/')) {
        const names = await promises.readdir(at).catch(() => []);
        at = join(at, names.map(String).find((name) => name.toLowerCase() === part.toLowerCase()) ?? part);
      }
      return at;
    };
    return {
      ...rest,
      createReadStream: stage().fs.createReadStream,
      createWriteStream: stage().fs.createWriteStream,
      promises: new Proxy(promises, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          return async (...given: unknown[]) => {
            given[0] = await found(given[0]);
            if (['rename', 'link', 'copyFile'].includes(String(name))) given[1] = await found(given[1]);
            return method.apply(target, given) as unknown;
          };
        },
      }),
    } as FileSystem;
  }

  it.each(['clear() of anna', 'no clear()'])(
    '%s, then the disk of the profiles and saves is lost: Anna is ready',
    async (what) => {
      const fs = foldingFileSystem();
      const bot = (clientId: string) =>
        stage().bot({
          client: { fs, localAuth: { dataPath: '/bot/auth', clientId } },
          session: { fs, sessionPath: '/bot/session', backupPath: '/mnt/backup' },
        });
      const anna = bot('Anna');
      await anna.logIn(ANNA);
      await stage().clock.advance(20_000);
      await anna.backUp('of Anna');
      const ben = bot('anna');
      await ben.logIn(BEN);
      await stage().clock.advance(20_000);
      await ben.backUp('of Ben');
      await anna.stop();
      if (what.startsWith('clear')) await ben.finish(ben.session.clear());
      await ben.stop();
      await stage().remove('/bot');
      const again = bot('Anna');
      await again.start();
      expect([again.state, again.client.info?.wid._serialized]).toEqual(['ready', ANNA]);
    },
  );
});
