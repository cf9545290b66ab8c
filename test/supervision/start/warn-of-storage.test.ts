import { afterEach, describe, expect, it, vi } from 'vitest';
import { useFakeStage } from '../../support/fake-stage.js';

describe('the warnings of a start', () => {
  const stage = useFakeStage();
  afterEach(() => vi.unstubAllEnvs());

  it('tell of two instances by a code of their own, and of all else as storage', async () => {
    vi.stubEnv('RENDER', 'true');
    await stage().fs.promises.mkdir('/proc/self', { recursive: true });
    await stage().fs.promises.writeFile('/proc/self/mountinfo', '1 0 0:50 / / rw - overlay overlay rw\n');
    const bot = stage().bot();
    await bot.start();
    expect(bot.warnings).toContain('storage');
    expect(bot.warnings).toContain('replicas');
    expect(bot.state).toBe('awaiting_qr');
  });
});
