import { describe, expect, it } from 'vitest';
import { API, TOKEN, useHttpStage } from './support/http-stage.js';

const stage = useHttpStage();
const since = '2026-11-23T06:00:00.000Z';
const until = '2026-11-23T06:00:30.000Z';

describe('what a start waits for, and what a person has to decide', () => {
  it('are told by the status, without the token', async () => {
    const status = stage().session.status();
    stage().session.status = () => ({
      ...status,
      waiting: { message: `waits for ${TOKEN}`, since, until },
      decision: { message: "restore('one') was rejected", since, snapshotId: 'two' },
    });
    const { json, text } = await stage().call(API);
    expect(json).toMatchObject({
      session: {
        waiting: { message: 'waits for ***', since, until },
        decision: { message: "restore('one') was rejected", since, snapshotId: 'two' },
      },
    });
    expect(text).not.toContain(TOKEN);
  });

  it('are null where there is nothing', async () => {
    expect((await stage().call(API)).json).toMatchObject({
      session: { waiting: null, decision: null, storeLease: null },
    });
  });
});

describe('the ownership among machines', () => {
  it('is told by the status, without the token', async () => {
    const status = stage().session.status();
    const store = { held: true, owner: 'web-1:7', generation: 3, provenAgoMs: 1200 };
    stage().session.status = () => ({
      ...status,
      lease: { held: true, generation: 3, store: { name: `postgres ${TOKEN}`, ...store } },
    });
    const { json, text } = await stage().call(API);
    expect(json).toMatchObject({ session: { storeLease: { name: 'postgres ***', ...store } } });
    expect(text).not.toContain(TOKEN);
  });
});
