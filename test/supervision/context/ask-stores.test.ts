import { describe, expect, it } from 'vitest';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { answered, askStores, failed, StorePatience } from '../../../src/supervision/context/ask-stores.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

const repository = (name: string) => ({ store: { name } }) as unknown as SnapshotRepository;

describe('asking several stores', () => {
  it('asks all at once, and keeps their order', async () => {
    const [a, b, c] = [repository('a'), repository('b'), repository('c')];
    const asked: string[] = [];
    let goOn: () => void = () => undefined;
    const answers = askStores([a, b, c], async ({ store }) => {
      asked.push(store.name);
      if (store.name === 'a')
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      if (store.name === 'b') throw new Error('down');
      return store.name;
    });
    expect(asked).toEqual(['a', 'b', 'c']);
    goOn();
    expect(answered(await answers).map(({ value }) => value)).toEqual(['a', 'c']);
    expect(failed(await answers)).toMatchObject([{ repository: b, error: { message: 'down' } }]);
  });

  it('waits for each store so long in all, whatever the others take', async () => {
    const clock = new ManualClock();
    const patience = new StorePatience(clock, 5_000);
    const [slow, quick] = [repository('slow'), repository('quick')];
    const sleep = (ms: number) =>
      new Promise<string>((resolve) => clock.setTimeout(() => resolve('done'), ms));
    const ask = ({ store }: SnapshotRepository) => sleep(store.name === 'slow' ? 3_000 : 10);
    const outcomes: string[] = [];
    for (const _ of [1, 2, 3]) {
      const from = clock.monotonic();
      const answers = await clock.advanceUntil(askStores([slow, quick], ask, patience), { patienceMs: 1 });
      const names = answered(answers).map(({ repository: { store } }) => store.name);
      outcomes.push(`${names.join(' and ')} after ${clock.monotonic() - from}`);
    }
    expect(outcomes).toEqual(['slow and quick after 3000', 'quick after 2000', 'quick after 10']);
    await expect(patience.wait(slow, () => sleep(1))).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});
