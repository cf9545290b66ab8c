import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/testing/memory-store.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, healthCheckIntervalMs: 0 };
const FOR_EVER = { failOn: 1, times: Number.POSITIVE_INFINITY };

describe('the health of a store that answers with an error', () => {
  const stage = useFakeStage();

  async function issueOf(bot: FakeBot, code: string) {
    const { issues, recommendations } = await bot.finish(bot.session.checkHealth());
    const issue = issues.find((one) => one.code === code);
    return {
      message: issue?.message,
      advice: recommendations.find((one) => one.code === code)?.text,
      issues,
    };
  }

  it.each([
    ['save', '/bot/session/store/shop'],
    ['backup', '/bot/backup/shop'],
  ] as const)('names the error, and what helps against missing rights: %s', async (name, path) => {
    const bot = stage().bot({ session: BY_HAND });
    await bot.logIn();
    stage().fs.arm({ operation: 'readdir', path, errno: 'EACCES', ...FOR_EVER });
    await bot.note('changed');
    await bot.finish(name === 'save' ? bot.session.forceSave() : bot.session.backup()).catch(() => undefined);
    const { message, advice, issues } = await issueOf(bot, `${name}-store-unreachable`);
    for (const language of ['en', 'ar'] as const) {
      expect(message?.[language]).toContain('EACCES');
      expect(advice?.[language]).toContain('chown');
    }
    expect(message?.en).toContain('answers with an error');
    expect(message?.en).not.toContain('does not answer');
    expect(issues.map(({ code }) => code)).toContain(`${name}-failed`);
    expect(issues.find(({ code }) => code === `${name}-failed`)?.message.en).toContain('EACCES');
  });

  it('names the answer of a store of the bot’s own', async () => {
    const store = new MemoryStore({ name: 's3' });
    const bot = stage().bot({ session: { ...BY_HAND, store } });
    await bot.logIn();
    await bot.finish(bot.session.checkHealth());
    const refuse = () => {
      throw Object.assign(new Error('UnknownError'), { name: 'Forbidden' });
    };
    store.list = refuse;
    store.head = refuse;
    await stage().clock.advance(15_000); // then it is asked again whether it answers
    const { message, advice } = await issueOf(bot, 'save-store-unreachable');
    expect(message?.en).toMatch(/answers with an error: s3 .*Forbidden/);
    expect(advice?.en).toContain('credentials');
  });

  it('names the store that got no copy, while another one got it', async () => {
    const nas = new MemoryStore({ name: 'nas' });
    const disk = new MemoryStore({ name: 'disk' });
    const bot = stage().bot({ session: { ...BY_HAND, backupStore: [nas, disk] } });
    await bot.logIn();
    nas.put = async () => {
      throw new Error('stale');
    };
    await bot.note('changed');
    await bot.finish(bot.session.backup()).catch(() => undefined);
    const { message } = await issueOf(bot, 'backup-failed');
    expect(message?.en).toMatch(/made no copy in nas: /);
    expect(message?.ar).toMatch(/nas/);
    expect(message?.en).not.toContain('disk');
  });
});
