import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SessionStore } from '../../../src/stores/session-store.js';
import type { StoreServer } from '../../stores/servers/start-server.js';
import { TcpProxy } from '../../stores/servers/tcp-proxy.js';
import { bundle } from '../../support/bundle.js';
import { bytesOf, checkStore } from './check-store.js';
import type { Deed, Snapshot } from './deeds.js';

const CONTENDERS = 3;
const STEPS = 12;
const OWNER_SHARE = 0.7;
/** By then another process has taken a stopped owner's session over, ms. */
const TAKEOVER_MS = 2000;
/** So long after everything is well somebody must own the session, ms. */
const HEALING_MS = 20_000;
const DAY_MS = 86_400_000;
const SCRIPT = fileURLToPath(new URL('contender.ts', import.meta.url));

export interface ScheduleResult {
  readonly done: Readonly<Record<string, number>>;
  readonly listed: number;
  readonly owners: number;
  readonly violations: readonly string[];
}

/**
 * One schedule: three processes want the session of `clientId`, and are stopped (also amid a write), killed, cut off, left without
 * answers, and started with wrong clocks, as `random` says. The same seed gives the same schedule; what the processes do between
 * two steps is up to the system.
 */
export async function runSchedule(parts: {
  readonly server: StoreServer;
  /** A store at the server itself. */
  readonly store: SessionStore;
  readonly clientId: string;
  readonly random: () => number;
}): Promise<ScheduleResult> {
  const { server, store, clientId, random } = parts;
  const done: Record<string, number> = {};
  const violations: string[] = [];
  const acknowledged = new Set<string>();
  const contenders = await Promise.all(
    Array.from({ length: CONTENDERS }, () => Contender.start(server, clientId, acknowledged)),
  );
  const watch = new AbortController();
  const watching = watchNewest(store, clientId, violations, watch.signal);
  try {
    await somebodyPuts(contenders);
    for (let step = 0; step < STEPS; step++) {
      await pause(50 + random() * 350);
      const contender = pick(contenders, random);
      const [name, act] = ACTS[Math.floor(random() * ACTS.length)] ?? [];
      if (contender === undefined || name === undefined) continue;
      done[name] = (done[name] ?? 0) + 1;
      act?.(contender, random);
      if (name.startsWith('stopped')) await somebodyPuts(contenders, TAKEOVER_MS);
    }
    await heal(contenders, violations);
  } finally {
    watch.abort();
    await Promise.all(contenders.map((contender) => contender.end()));
    await watching;
  }
  const { listed, owners, violations: found } = await checkStore(store, clientId, acknowledged);
  return { done, listed, owners, violations: [...violations, ...found] };
}

/** Who has the session is hit most often. */
function pick(contenders: readonly Contender[], random: () => number): Contender | undefined {
  const byLastPut = [...contenders].sort((one, other) => other.lastPutAt - one.lastPutAt);
  return byLastPut[random() < OWNER_SHARE ? 0 : Math.floor(random() * CONTENDERS)];
}

type Act = (contender: Contender, random: () => number) => void;

const ACTS: readonly (readonly [string, Act])[] = [
  ['stopped', (contender, random) => contender.stop(random() * 4000)],
  ['stopped amid a write', (contender, random) => contender.stopAfter(1 + random() * 9, random() * 4000)],
  ['stopped amid a write', (contender, random) => contender.stopAfter(1 + random() * 9, random() * 4000)],
  ['stopped amid a write', (contender, random) => contender.stopAfter(1 + random() * 9, random() * 4000)],
  ['killed', (contender) => contender.kill()],
  ['killed amid a write', (contender, random) => contender.stopAfter(1 + random() * 6)],
  ['connections broken', (contender) => contender.proxy.cut()],
  ['cut off', (contender, random) => contender.cutOff(random() * 2500)],
  ['answer lost', (contender) => contender.proxy.loseAnswerTo('')],
  ['clock wrong', (contender, random) => contender.kill((random() - 0.5) * 2 * DAY_MS)],
];

/** When everything is well again, somebody must get the session and put something. */
async function heal(contenders: readonly Contender[], violations: string[]): Promise<void> {
  for (const contender of contenders) contender.heal();
  if (await somebodyPuts(contenders)) return;
  const said = contenders.map(({ lastSaid }) => JSON.stringify(lastSaid)).join(' | ');
  violations.push(`nobody has the session ${HEALING_MS / 1000} s after everything was well again: ${said}`);
}

async function somebodyPuts(contenders: readonly Contender[], withinMs = HEALING_MS): Promise<boolean> {
  const putsOf = () => contenders.reduce((sum, { puts }) => sum + puts, 0);
  const before = putsOf();
  for (const end = Date.now() + withinMs; Date.now() < end; await pause(20)) {
    if (putsOf() > before) return true;
  }
  return false;
}

/** A number that was replaced by a higher one must never be the newest again. */
async function watchNewest(
  store: SessionStore,
  clientId: string,
  violations: string[],
  signal: AbortSignal,
): Promise<void> {
  if (store.capabilities.fencedPut !== true) return;
  for (let highest = 0; !signal.aborted; await pause(5)) {
    const bytes = await bytesOf(store, `${clientId}/newest.json`);
    const { generation } = JSON.parse(bytes?.toString() ?? '{"generation":0}') as Snapshot;
    if (generation < highest) violations.push(`${generation} has put after ${highest}`);
    highest = Math.max(highest, generation);
  }
}

class Contender {
  puts = 0;
  lastPutAt = 0;
  lastSaid: Deed | undefined;
  readonly proxy: TcpProxy;
  readonly #start: (aheadMs: number) => ChildProcess;
  readonly #acknowledged: Set<string>;
  #process: ChildProcess;
  #isOver = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(proxy: TcpProxy, url: string, clientId: string, acknowledged: Set<string>) {
    this.proxy = proxy;
    this.#acknowledged = acknowledged;
    this.#start = (aheadMs) =>
      spawn(process.execPath, [...bundle(SCRIPT), url, clientId, String(Math.round(aheadMs))], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    this.#process = this.#begin(0);
  }

  static async start(server: StoreServer, clientId: string, acknowledged: Set<string>): Promise<Contender> {
    const proxy = await TcpProxy.to(server.port);
    return new Contender(proxy, server.urlAt(proxy.port), clientId, acknowledged);
  }

  /** SIGSTOP, and SIGCONT after `forMs`. */
  stop(forMs: number): void {
    this.#process.kill('SIGSTOP');
    this.#later(forMs, () => this.#process.kill('SIGCONT'));
  }

  /** SIGSTOP when it has sent so many more messages to the server; without `forMs`, SIGKILL instead. */
  stopAfter(messages: number, forMs?: number): void {
    let left = Math.ceil(messages);
    this.proxy.change((chunk) => {
      left -= 1;
      if (left === 0 && forMs === undefined) this.kill();
      else if (left === 0) this.stop(forMs ?? 0);
      return chunk;
    });
  }

  /** SIGKILL, and a new process in its place. */
  kill(aheadMs = 0): void {
    if (this.#isOver) return;
    this.#process.kill('SIGKILL');
    this.#process = this.#begin(aheadMs);
  }

  /** What it sends vanishes for a while. */
  cutOff(forMs: number): void {
    this.proxy.change(() => Buffer.alloc(0));
    this.#later(forMs, () => this.#join());
  }

  heal(): void {
    this.#join();
    this.#process.kill('SIGCONT');
  }

  async end(): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#process.kill('SIGKILL');
    await this.proxy.close();
  }

  /** A connection in which something vanished is of no use any more. */
  #join(): void {
    this.proxy.change(undefined);
    this.proxy.cut();
  }

  #begin(aheadMs: number): ChildProcess {
    const child = this.#start(aheadMs);
    if (child.stdout)
      createInterface(child.stdout).on('line', (line) => this.#hear(JSON.parse(line) as Deed));
    return child;
  }

  #hear(deed: Deed): void {
    this.lastSaid = deed;
    if (deed.did !== 'put') return;
    this.puts += 1;
    this.lastPutAt = Date.now();
    this.#acknowledged.add(deed.key);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
