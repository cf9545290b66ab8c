import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { healthCheckIntervalMs: 0, forceSaveIntervalMs: 0, backupIntervalMs: 0 };

function logOf() {
  const lines: string[] = [];
  const write = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { lines, logger };
}

class RefusingStore extends MemoryStore {
  isRefusing = false;

  override async put(...args: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
    if (this.isRefusing) throw new Error('AccessDenied: the key may not write');
    return super.put(...args);
  }
}

describe('the log of a bot that listens to no event', () => {
  const stage = useFakeStage();

  it('has a line for each thing that happened, and one only', async () => {
    const { lines, logger } = logOf();
    const bot = stage().bot({ session: { logger, ...BY_HAND } });
    const told = () => lines.splice(0).join('\n');
    await bot.logIn();
    expect(told()).toContain('info the session is ready');
    await bot.save('first');
    expect(told()).toContain('info a save was taken');
    await bot.backUp('second');
    expect(told()).toContain('info a backup was taken');
    bot.client.pupBrowser?.kill();
    await bot.until('a loss', () => bot.state === 'reconnecting');
    await bot.untilState('ready');
    const reconnected = told();
    expect(reconnected).toContain('warn the session is reconnecting');
    expect(reconnected).toContain('info the session is connected again');
    await stage().damageProfile(bot);
    await bot.finish(bot.session.forceSave());
    const skipped = told();
    expect(skipped).toContain('warn a save was skipped');
    expect(skipped).toContain('MANIFEST-000001');
    bot.client.pupBrowser?.kill();
    await bot.until('a loss', () => bot.state === 'reconnecting');
    await bot.untilState('ready');
    const restored = told();
    expect(restored).toContain('error the profile is damaged');
    expect(restored.match(/info a snapshot was restored/g)).toHaveLength(1);
    expect(restored.match(/warn a profile was put aside/g)).toHaveLength(1);
    await bot.client.logOutByPhone();
    await bot.untilState('awaiting_qr');
    expect(told()).toContain('warn the login has ended');
    await bot.stop();
    expect(told()).toContain('info the session is stopped');
  });

  it('tells every warning once, whoever gives it', async () => {
    const { lines, logger } = logOf();
    const bot = stage().bot({ session: { logger, ...BY_HAND } });
    await bot.logIn();
    bot.session.on('save:completed', () => {
      throw new Error('a fault of the bot');
    });
    await bot.save('first');
    const { length } = bot.payloads('warning');
    expect(length).toBeGreaterThan(0);
    for (const { message } of bot.payloads('warning')) {
      const [why = ''] = message.split(': ').slice(-1);
      expect(lines.filter((line) => line.includes(why))).toHaveLength(1);
    }
  });

  it.each([
    ['save', 'store'],
    ['backup', 'backupStore'],
  ] as const)('says once for each timed %s that fails why it did', async (kind, option) => {
    const { lines, logger } = logOf();
    const store = new RefusingStore();
    const bot = stage().bot({
      session: { logger, healthCheckIntervalMs: 0, backupIntervalMs: 300_000, [option]: store },
    });
    await bot.logIn();
    await bot.until(`a ${kind}`, () => bot.payloads(`${kind}:completed`).length > 0, { limitMs: 900_000 });
    store.isRefusing = true;
    await bot.note('more');
    await bot.until('a failure', () => bot.payloads(`${kind}:failed`).length > 0, { limitMs: 900_000 });
    const about = lines.filter((line) => line.includes('AccessDenied'));
    expect(about).toHaveLength(bot.payloads(`${kind}:failed`).length);
    expect(about[0]).toContain(`error a ${kind} has failed`);
  });

  it('says why the final save of a stop came to nothing', async () => {
    const { lines, logger } = logOf();
    const store = new RefusingStore();
    const bot = stage().bot({ session: { logger, store, ...BY_HAND } });
    await bot.logIn();
    await bot.save('first');
    await bot.note('second');
    store.isRefusing = true;
    lines.length = 0;
    await bot.stop();
    expect(lines.filter((line) => line.includes('AccessDenied'))).toHaveLength(1);
  });

  it('says once that another process owns the session now', async () => {
    const { lines, logger } = logOf();
    const bot = stage().bot({ session: { logger, ...BY_HAND } });
    await bot.logIn();
    await stage().takeOver();
    await bot.untilState('stopped', { limitMs: 300_000 });
    expect(lines.filter((line) => line.includes('no longer owns the session'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('lease was lost'))).toHaveLength(0);
  });
});
