import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../src/file-system.js';
import { detectFileWatcher, type WatcherFacts } from '../../src/platform/file-watcher.js';
import { readStorageFacts } from '../../src/platform/read-storage-facts.js';
import { storageWarnings } from '../../src/platform/storage-warnings.js';

const NODEMON = 'node /bot/node_modules/.bin/nodemon bot.js';
const nothing: WatcherFacts = { env: {}, parentCommand: undefined, nodemonSettings: '' };

describe('detectFileWatcher', () => {
  it.each<[string, Partial<WatcherFacts>, string | undefined]>([
    ['nodemon as the parent', { parentCommand: NODEMON }, 'nodemon'],
    ['nodemon below npm', { parentCommand: 'sh -c nodemon bot.js' }, 'nodemon'],
    ['nodemon as a script', { env: { npm_lifecycle_script: 'nodemon bot.js' } }, 'nodemon'],
    ['pm2 --watch', { env: { pm_id: '0', watch: 'true' } }, 'pm2'],
    ['pm2 without --watch', { env: { pm_id: '0', watch: 'false' } }, undefined],
    ['pm2 that watches certain folders', { env: { pm_id: '0', watch: 'src' } }, undefined],
    ['nodemon that watches certain folders', { parentCommand: `${NODEMON} --watch src` }, undefined],
    [
      'nodemon whose settings do',
      { parentCommand: NODEMON, nodemonSettings: '[{"watch":["src"]},{}]' },
      undefined,
    ],
    ['node', { parentCommand: 'bash' }, undefined],
  ])('%s', (_, facts, expected) => {
    expect(detectFileWatcher({ ...nothing, ...facts })?.name).toBe(expected);
  });
});

describe('the warning of a file watcher', () => {
  async function told({
    env = {},
    command,
    files = {},
    sessionPath = '/bot/persistent-session',
  }: {
    env?: Record<string, string>;
    command?: string;
    files?: Record<string, string>;
    sessionPath?: string;
  }): Promise<string | undefined> {
    const { fs, vol } = memfs({ '/bot/package.json': '{}' });
    vol.fromJSON(files);
    const facts = await readStorageFacts({
      fs: fs as unknown as FileSystem,
      sessionPath,
      backupPath: '/bot/session-backup',
      env,
      botFolder: '/bot',
      commandLineOf: () => Promise.resolve(command),
    });
    return storageWarnings(facts).find(({ code }) => code === 'watched')?.message;
  }

  it('names the folders, and what keeps the watcher from them', async () => {
    expect(await told({ command: NODEMON })).toMatch(
      /^nodemon watches the bot's folder: unless it ignores \/bot\/persistent-session and \/bot\/session-backup.*--ignore persistent-session\/ --ignore session-backup\/.*SESSION_PATH/,
    );
    expect(await told({ env: { pm_id: '0', watch: 'true' } })).toContain(
      '--ignore-watch="node_modules persistent-session session-backup"',
    );
  });

  it('leaves out a folder that is not watched', async () => {
    const message = await told({ command: NODEMON, sessionPath: '/bot/.session' });
    expect(message).toContain('ignores /bot/session-backup,');
    expect(await told({ command: NODEMON, sessionPath: '/data/session' })).not.toContain('/data');
  });

  it.each<[string, Parameters<typeof told>[0]]>([
    ['an argument', { command: `${NODEMON} --ignore persistent-session/ --ignore session-backup/` }],
    [
      'nodemon.json',
      {
        command: NODEMON,
        files: { '/bot/nodemon.json': '{"ignore":["persistent-session","session-backup"]}' },
      },
    ],
    [
      'package.json',
      {
        command: NODEMON,
        files: {
          '/bot/package.json': '{"nodemonConfig":{"ignore":["persistent-session/*","session-backup/*"]}}',
        },
      },
    ],
  ])('says nothing where the settings name them: %s', async (_, given) => {
    expect(await told(given)).toBeUndefined();
  });

  it('says nothing without a watcher', async () => {
    expect(await told({ command: 'bash' })).toBeUndefined();
  });
});
