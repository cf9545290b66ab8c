import { clearBrowserCache } from '../../client/clear-browser-cache.js';
import { describeError } from '../../errors.js';
import { profileSizeTask } from '../../profile/caches.js';
import type { SessionContext } from '../context/session-context.js';

const BYTES_PER_MB = 1024 * 1024;
/**
 * Pause between two trims, ms. If the login itself is too large, trimming does not help, and the cache should not
 * always be cold.
 */
const REST_MS = 60 * 60 * 1000;

/** Keeps the profile of a running browser within `maxSessionSizeMb`, as far as its cache causes the size. */
export class CacheTrimmer {
  readonly #context: SessionContext;
  #trimmedAt: number | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Call occasionally while the session is ready. Never rejects. */
  async trimIfOversized(): Promise<void> {
    const { clock, warn } = this.#context;
    const now = clock.monotonic();
    if (this.#trimmedAt !== undefined && now - this.#trimmedAt < REST_MS) return;
    try {
      await this.#trim(now);
    } catch (error) {
      warn('cleanup-failed', `the profile could not be measured: ${describeError(error).message}`);
    }
  }

  async #trim(now: number): Promise<void> {
    const { driver, clock, options, profileDir, runner, announce } = this.#context;
    const before = await runner.run(profileSizeTask, { profileDir });
    if (before.totalBytes <= options.maxSessionSizeMb * BYTES_PER_MB) return;
    this.#trimmedAt = now;
    if (!(await clearBrowserCache(driver, clock, options.puppeteerTimeoutMs))) return;
    // Measured on the disk. The browser keeps writing meanwhile, so this is a lower bound.
    const after = await runner.run(profileSizeTask, { profileDir });
    const freedBytes = before.totalBytes - after.totalBytes;
    const files = Math.max(0, before.files - after.files);
    if (freedBytes > 0) announce('profile:pruned', { freedBytes, files });
  }
}
