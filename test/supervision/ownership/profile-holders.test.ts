import { describe, expect, it } from 'vitest';
import { systemFileSystem } from '../../../src/file-system.js';
import { holdProfile, makeWay, type Stance } from '../../../src/supervision/ownership/profile-holders.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

describe('the way to a profile that another session of the process has', () => {
  let count = 0;
  const aProfile = () => ({ fs: systemFileSystem, realPath: `/profiles/${++count}` });

  function holder(stance: Stance, retire: () => Promise<void> = async () => undefined) {
    return { stance: () => stance, retire };
  }

  it.each([['nobody has it'], ['somebody keeps it']])('is not waited for where %s', async (who) => {
    const profile = aProfile();
    const leave = who === 'nobody has it' ? () => undefined : holdProfile(profile, holder('keeps'));
    const clock = new ManualClock();
    await makeWay(profile, { clock });
    expect(clock.pendingTimers).toBe(0);
    leave();
  });

  it('is free when the one that leaves has left, not before', async () => {
    const profile = aProfile();
    const leave = holdProfile(profile, holder('leaving'));
    const clock = new ManualClock();
    let isFree = false;
    const way = makeWay(profile, { clock }).then(() => {
      isFree = true;
    });
    await clock.advance(10_000);
    expect(isFree).toBe(false);
    leave();
    leave();
    await way;
    expect(clock.pendingTimers).toBe(0);
  });

  it('has one retire that yields, and waits until its leases are free', async () => {
    const profile = aProfile();
    const order: string[] = [];
    const leave = holdProfile(
      profile,
      holder('yields', async () => {
        order.push('retires');
        setImmediate(() => {
          order.push('left');
          leave();
        });
      }),
    );
    await makeWay(profile, { clock: new ManualClock() });
    expect(order).toEqual(['retires', 'left']);
  });

  it('is refused when it is not left in time, and says so', async () => {
    const profile = aProfile();
    const leave = holdProfile(profile, holder('leaving'));
    const clock = new ManualClock();
    const way = makeWay(profile, { clock });
    way.catch(() => undefined);
    await clock.advance(150_000);
    await expect(way).rejects.toMatchObject({
      code: 'PROFILE_LOCKED',
      pid: process.pid,
      message: expect.stringMatching(/still being closed after 150 s.*profiles/),
    });
    leave();
  });

  it('is refused when the one that should retire fails, with the cause', async () => {
    const profile = aProfile();
    const cause = new Error('no way');
    const leave = holdProfile(
      profile,
      holder('yields', () => Promise.reject(cause)),
    );
    const refusal = makeWay(profile, { clock: new ManualClock() });
    await expect(refusal).rejects.toMatchObject({ code: 'PROFILE_LOCKED', cause });
    leave();
  });

  it('is not waited for any more when the caller gives up', async () => {
    const profile = aProfile();
    const leave = holdProfile(profile, holder('leaving'));
    const clock = new ManualClock();
    const giveUp = new AbortController();
    const way = makeWay(profile, { clock, signal: giveUp.signal });
    way.catch(() => undefined);
    giveUp.abort(new Error('never mind'));
    await expect(way).rejects.toThrow('never mind');
    leave();
  });
});
