import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import type {
  DeleteOptions,
  GetOptions,
  PutOptions,
  PutResult,
  StoreCallOptions,
} from '../../src/stores/session-store.js';
import { describeSessionStore, MemoryStore, type StoreFixture } from '../../src/testing/index.js';
import { LoopbackServer } from './support/loopback-server.js';
import { LoopbackStore } from './support/loopback-store.js';
import { IN_MEMORY, verdicts } from './support/verdicts.js';

const FAULTS = ['killInMidPut', 'hang', 'loseAnswer'] as const;
const OVER_HTTP = {
  ...{ deleteMany: true, ranges: true, breakDown: true, inMemory: true },
  verifiedBy: 'server',
  faults: FAULTS,
} as const;
const OF_FAULTS = { only: 'faults', patienceMs: 1_000 };

describeSessionStore({ describe, it, name: 'A store over HTTP', expects: OVER_HTTP }, () =>
  overHttp((port) => new LoopbackStore(port)),
);

describe('the conformance suite, when the server fails', () => {
  it('passes a store that does what it can', async () => {
    const { passed, reasons } = await verdicts(
      () => fixtureOf(new Remote()),
      { ...IN_MEMORY, faults: FAULTS },
      OF_FAULTS,
    );
    expect(reasons).toEqual([]);
    expect(passed).toHaveLength(5);
  });

  it('puts no more than the store takes into a put that is cut off', async () => {
    const maxObjectBytes = 400_000;
    const expects = { ...IN_MEMORY, faults: FAULTS, maxObjectBytes };
    const { reasons } = await verdicts(() => fixtureOf(new Remote({ maxObjectBytes })), expects, OF_FAULTS);
    expect(reasons).toEqual([]);
  });

  it.each<[what: string, broken: () => Remote, caughtBy: RegExp, why: RegExp]>([
    ['keeps half a value', () => new Halved(), /killed in the midst/, /the old value|differ from/],
    ['forgets what a dead server had', () => new Emptied(), /killed in the midst/, /the object is missing/],
    ['waits for a hanging server for ever', () => new Patient(), /the server hangs/, /was not over after/],
    ['can not be used after a hang', () => new Closed(), /the server hangs/, /the client is closed/],
    ['tells a hang as a missing object', () => new Blind(), /the server hangs/, /succeeded, although/],
    [
      'takes its own value for a conflict',
      () => new Naive(),
      /condition ifAbsent/,
      /has another version|is there already/,
    ],
    ['ends for good at a lost answer', () => new Resigned(), /condition none/, /lost for good/],
  ])('catches a store that %s', async (_, broken, caughtBy, why) => {
    const expects = { ...IN_MEMORY, faults: FAULTS };
    const { failed, reasons } = await verdicts(() => fixtureOf(broken()), expects, OF_FAULTS);
    expect(failed.join('\n')).toMatch(caughtBy);
    expect(reasons.join('\n')).toMatch(why);
  });

  it('catches a fixture without the fault that it declares', async () => {
    const { failed, reasons } = await verdicts(
      () => new MemoryStore(),
      { ...IN_MEMORY, faults: FAULTS },
      OF_FAULTS,
    );
    expect(failed).toHaveLength(5);
    expect(reasons.join()).toMatch(/the fixture has no faults.hang/);
  });
});

async function overHttp(open: (port: number) => LoopbackStore): Promise<StoreFixture> {
  const server = new LoopbackServer();
  await server.start();
  const killInMidPut = async () => {
    await server.kill();
    return () => server.start();
  };
  return {
    store: open(server.port),
    breakDown: () => server.kill(),
    dispose: () => server.kill(),
    faults: { killInMidPut, hang: () => server.hang(), loseAnswer: () => server.loseAnswer() },
  };
}

function fixtureOf(store: Remote): StoreFixture {
  const { killInMidPut, hang, loseAnswer } = store;
  return { store, faults: { killInMidPut, hang, loseAnswer } };
}

/** A store in memory whose server can die, hang, and lose answers. */
class Remote extends MemoryStore {
  protected isHanging = false;
  #isAnswerLost = false;
  #life = new AbortController();

  readonly killInMidPut = () => {
    this.#life.abort(new StoreError('connection reset'));
    return () => {
      this.#life = new AbortController();
    };
  };
  readonly hang = () => {
    this.isHanging = true;
    return () => {
      this.isHanging = false;
    };
  };
  readonly loseAnswer = () => {
    this.#isAnswerLost = true;
  };

  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}): Promise<PutResult> {
    await this.reach(options);
    const signals = [this.#life.signal, ...(options.signal ? [options.signal] : [])];
    const put = await super.put(key, body, { ...options, signal: AbortSignal.any(signals) });
    if (!this.#isAnswerLost) return put;
    this.#isAnswerLost = false;
    return this.afterLoss(key, body, options);
  }

  override async get(key: string, options: GetOptions = {}) {
    await this.reach(options);
    return super.get(key, options);
  }

  override async head(key: string, options: StoreCallOptions = {}) {
    await this.reach(options);
    return super.head(key, options);
  }

  override async *list(prefix: string, options: StoreCallOptions = {}) {
    await this.reach(options);
    yield* super.list(prefix, options);
  }

  override async delete(key: string, options: DeleteOptions = {}) {
    await this.reach(options);
    return super.delete(key, options);
  }

  override async deleteMany(keys: readonly string[], options: StoreCallOptions = {}) {
    await this.reach(options);
    return super.deleteMany(keys, options);
  }

  override async serverTime(options: StoreCallOptions = {}) {
    await this.reach(options);
    return super.serverTime(options);
  }

  protected async reach({ signal }: StoreCallOptions): Promise<void> {
    if (this.isHanging) {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    }
  }

  protected async afterLoss(
    _: string,
    _body: Uint8Array | Readable,
    _options: PutOptions,
  ): Promise<PutResult> {
    throw new StoreError('connection reset');
  }
}

class Halved extends Remote {
  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    return super.put(key, body, options).catch(async (error: unknown) => {
      this.killInMidPut()();
      await super.put(key, Buffer.from('half'));
      throw error;
    });
  }
}

class Emptied extends Remote {
  #puts: string[] = [];

  override async put(key: string, body: Uint8Array | Readable, options: PutOptions = {}) {
    return super
      .put(key, body, options)
      .catch(async (error: unknown) => {
        for (const old of this.#puts) await super.delete(old);
        throw error;
      })
      .finally(() => this.#puts.push(key));
  }
}

class Patient extends Remote {
  protected override async reach(): Promise<void> {
    if (this.isHanging) await new Promise(() => undefined);
  }
}

class Closed extends Remote {
  #isClosed = false;

  protected override async reach(options: StoreCallOptions): Promise<void> {
    if (this.isHanging) this.#isClosed = true;
    else if (this.#isClosed) throw new StoreError('the client is closed');
    return super.reach(options);
  }
}

class Blind extends Remote {
  override async get(key: string, options: GetOptions = {}) {
    return this.isHanging ? undefined : super.get(key, options);
  }
}

class Naive extends Remote {
  protected override afterLoss(key: string, body: Uint8Array | Readable, options: PutOptions) {
    return this.put(key, body, options);
  }
}

class Resigned extends Remote {
  protected override async afterLoss(): Promise<never> {
    throw new StoreError('lost for good', { retryable: false });
  }
}
