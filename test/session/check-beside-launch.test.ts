import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SessionError } from '../../src/errors.js';
import { crc32c, maskCrc } from '../../src/profile/leveldb/crc32c.js';
import { examineProfileTask } from '../../src/profile/soundness.js';
import type { FakePage } from '../../src/testing/fake-browser.js';
import { FakeClient } from '../../src/testing/fake-client.js';
import { BY_HAND, type FakeBot, type FakeBotOptions } from '../support/fake-bot.js';
import { INDEXED_DB, useFakeStage } from '../support/fake-stage.js';

const LOG_HEADER_BYTES = 7;

/** Stops every check that goes on beside a launch until the test lets them end. */
class HeldChecks {
  readonly begun: { readonly signal: AbortSignal | undefined; readonly end: (error?: Error) => void }[] = [];

  #areLetEnd = false;

  constructor() {
    const run = examineProfileTask.run;
    vi.spyOn(examineProfileTask, 'run').mockImplementation(async (input, context) => {
      if (input.depth === 'beside-launch' && !this.#areLetEnd) {
        await new Promise<void>((resolve, reject) => {
          const end = (error?: Error) => (error === undefined ? resolve() : reject(error));
          this.begun.push({ signal: context.signal, end });
        });
      }
      return run(input, context);
    });
  }

  async endAll(bot: FakeBot, error?: Error): Promise<void> {
    await bot.until('a check beside a launch', () => this.begun.length > 0);
    this.#areLetEnd = true;
    for (const { end } of this.begun) end(error);
  }
}

describe('the check of the tables, beside the launch of the browser', () => {
  const stage = useFakeStage();

  afterEach(() => {
    vi.restoreAllMocks();
  });

  function bot(options: FakeBotOptions = {}): FakeBot {
    return stage().bot({ ...options, session: { ...BY_HAND, ...options.session } });
  }

  async function ranBefore(): Promise<FakeBot> {
    const one = bot();
    await one.logIn();
    await one.note('mine');
    await one.stop();
    return one;
  }

  /**
   * Changes the note in IndexedDB's log and its checksum with it: only a comparison of every byte with the last snapshot
   * tells.
   */
  async function damageQuietly({ client }: FakeBot): Promise<void> {
    const path = join(client.profileDir, INDEXED_DB, '000003.log');
    const log = Buffer.from(await stage().fs.promises.readFile(path));
    let start = 0;
    for (let at = 0; at + LOG_HEADER_BYTES <= log.length; ) {
      start = at;
      at += LOG_HEADER_BYTES + log.readUInt16LE(at + 4);
    }
    const note = log.indexOf('mine', start);
    expect(note).toBeGreaterThan(start);
    log.write('mibe', note);
    const bytes = log.subarray(start + 6, start + LOG_HEADER_BYTES + log.readUInt16LE(start + 4));
    log.writeUInt32LE(maskCrc(crc32c(bytes)) >>> 0, start);
    await stage().fs.promises.writeFile(path, log);
  }

  async function untilLaunched(one: FakeBot, launches = 1): Promise<FakePage> {
    await one.until('the launch', () => one.client.launches === launches && one.client.pupPage !== null);
    const page = one.client.pupPage;
    if (page === null) throw new Error('there is no page');
    return page;
  }

  // What the machine's own mounts lead to may come at any moment.
  const isOfMounts = ({ name, payload }: FakeBot['events'][number]) =>
    name === 'warning' && (payload as { code: string }).code === 'storage';

  const eventsOf = (one: FakeBot) =>
    one.events
      .filter((event) => !isOfMounts(event))
      .map(({ name, payload }) => {
        if (name === 'state:changed') return [name, (payload as { to: string }).to];
        if (name === 'corruption:detected') return [name, (payload as { findings: unknown }).findings];
        if (name.startsWith('restore:')) return [name, (payload as { reason?: string }).reason];
        return [name];
      });

  it('keeps the page closed and the session restoring until the verdict is in', async () => {
    await ranBefore();
    const checks = new HeldChecks();
    const next = bot();
    const started = next.session.initialize();
    const page = await untilLaunched(next);
    expect([next.state, page.url()]).toEqual(['restoring', 'about:blank']);
    await checks.endAll(next);
    await next.finish(started);
    expect(page.url()).toContain('web.whatsapp.com');
    expect(next.states.slice(1)).toEqual(['restoring', 'starting', 'authenticated', 'ready']);
    expect(next.client.launches).toBe(1);
  });

  it('closes the browser of a damaged profile before its page opens, and then tells and does what a check before the launch does', async () => {
    const one = await ranBefore();
    const image = await stage().copyTree('/bot');
    await damageQuietly(one);
    vi.spyOn(FakeClient.prototype, 'initialize'); // its code is no longer known
    const before = bot();
    await before.start();
    expect(before.client.launches).toBe(1);
    expect(before.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    await before.stop();
    vi.restoreAllMocks();

    await stage().remove('/bot');
    await image.putAt('/bot');
    await damageQuietly(one);
    const checks = new HeldChecks();
    const beside = bot();
    const started = beside.session.initialize();
    const page = await untilLaunched(beside);
    const browser = beside.client.pupBrowser;
    await checks.endAll(beside);
    await beside.finish(started);
    expect([page.url(), browser?.isConnected(), beside.client.launches]).toEqual(['about:blank', false, 2]);
    expect((await beside.client.readLogin())?.note).toBe('mine');
    expect(beside.codes).toEqual([]);
    await beside.stop();
    expect(eventsOf(beside)).toEqual(eventsOf(before));
  });

  it('is not waited for by a destroy() during the launch, after which no page opens', async () => {
    await ranBefore();
    const checks = new HeldChecks();
    const next = bot();
    const started = next.session.initialize();
    started.catch(() => undefined);
    const page = await untilLaunched(next);
    await next.stop();
    await expect(started).rejects.toMatchObject({ code: 'CLOSED' });
    expect(next.state).toBe('stopped');
    expect(checks.begun[0]?.signal?.aborted).toBe(true);
    await checks.endAll(next);
    await next.until('nothing', () => true);
    expect([page.url(), next.client.pupBrowser?.isConnected()]).toEqual(['about:blank', false]);
  });

  it.each([true, false])(
    'that dies with its thread costs an attempt, and no page opens (called by the session: %s)',
    async (bySession) => {
      await ranBefore();
      const checks = new HeldChecks();
      const next = bot({ session: { maxInitRetries: 2 } });
      let isRejected = false;
      const started = bySession ? next.session.initialize() : next.client.initialize();
      started.catch(() => {
        isRejected = true;
      });
      const page = await untilLaunched(next);
      const died = new SessionError('INTERNAL', 'the worker thread stopped', { retryable: true });
      await checks.endAll(next, died);
      await untilLaunched(next, 2);
      await next.finish(started);
      await next.untilState('ready');
      expect([page.url(), isRejected]).toEqual(['about:blank', false]);
    },
  );

  it('that hangs ends by its deadline, and the next attempt checks everything before its launch', async () => {
    await ranBefore();
    const checks = new HeldChecks();
    const next = bot({ session: { maxInitRetries: 2, sessionTimeoutMs: 10_000 } });
    const started = next.session.initialize();
    const page = await untilLaunched(next);
    await untilLaunched(next, 2);
    expect(page.url()).toBe('about:blank');
    expect(checks.begun[0]?.signal?.aborted).toBe(true);
    await next.finish(started);
    expect([next.state, checks.begun.length, next.client.launches]).toEqual(['ready', 1, 2]);
  });

  it('may take longer than a start without progress', async () => {
    await ranBefore();
    const checks = new HeldChecks();
    const next = bot({ session: { sessionTimeoutMs: 10_000 } });
    const started = next.session.initialize();
    await untilLaunched(next);
    await stage().clock.advance(60_000);
    await checks.endAll(next);
    await next.finish(started);
    expect([next.state, next.client.launches]).toEqual(['ready', 1]);
  });

  it('comes before what a failed launch leads to: a sound profile', async () => {
    await ranBefore();
    const checks = new HeldChecks();
    const next = bot({ session: { maxInitRetries: 2 } });
    next.client.launchError = new Error('the browser fell over');
    const started = next.session.initialize();
    await next.until('the launch', () => next.client.launches === 1);
    await next.until('nothing', () => true);
    expect(next.states.slice(1)).toEqual(['restoring']);
    next.client.launchError = undefined;
    await checks.endAll(next);
    await untilLaunched(next, 2);
    await next.finish(started);
    expect(next.states.slice(1, 4)).toEqual(['restoring', 'starting', 'restoring']);
    expect(next.state).toBe('ready');
  });

  it('comes before what a failed launch leads to: a damaged profile', async () => {
    await damageQuietly(await ranBefore());
    const checks = new HeldChecks();
    const next = bot({ session: { maxInitRetries: 0 } });
    next.client.launchError = new Error('the browser fell over');
    const started = next.session.initialize();
    await next.until('the launch', () => next.client.launches === 1);
    next.client.launchError = undefined;
    await checks.endAll(next);
    await next.finish(started);
    expect(next.states.slice(1)).toEqual(['restoring', 'starting', 'authenticated', 'ready']);
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
  });

  it('that ends after its browser was killed lets the attempt fail as any other', async () => {
    await ranBefore();
    const checks = new HeldChecks();
    const next = bot({ session: { maxInitRetries: 2 } });
    const started = next.session.initialize();
    const page = await untilLaunched(next);
    next.client.pupBrowser?.kill();
    await next.until('nothing', () => true);
    await checks.endAll(next);
    await untilLaunched(next, 2);
    await next.finish(started);
    expect([next.state, page.url()]).toEqual(['ready', 'about:blank']);
  });

  it('goes on beside every launch of a reconnect, too', async () => {
    await ranBefore();
    const next = bot();
    await next.start();
    await damageQuietly(next);
    const checks = new HeldChecks();
    next.client.pupBrowser?.kill();
    const page = await untilLaunched(next, 2);
    await checks.endAll(next);
    await next.untilState('ready');
    expect(page.url()).toBe('about:blank');
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(next.states.slice(-2)).toEqual(['reconnecting', 'ready']);
  });

  it('is waited for before a newer snapshot takes the place of the profile, which then counts as damaged', async () => {
    const one = await ranBefore();
    const former = await stage().copyTree(one.client.profileDir);
    const record = await stage().copyTree('/bot/auth/.session-shop.persistent');
    const another = bot();
    await another.start();
    await another.note('later');
    await another.stop();
    await stage().remove('/bot/auth');
    await former.putAt(one.client.profileDir);
    await record.putAt('/bot/auth/.session-shop.persistent');
    await damageQuietly(one);
    const checks = new HeldChecks();
    const next = bot();
    const started = next.session.initialize();
    await checks.endAll(next);
    await next.finish(started);
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
    expect(next.client.launches).toBe(1);
  });

  it('does not run where the client may open a page that it does not have yet', async () => {
    await damageQuietly(await ranBefore());
    vi.spyOn(FakeClient.prototype, 'initialize');
    const checks = new HeldChecks();
    const next = bot();
    await next.start();
    expect([checks.begun.length, next.client.launches]).toEqual([0, 1]);
    expect(next.payloads('restore:completed')).toMatchObject([{ reason: 'profile-damaged' }]);
  });
});
