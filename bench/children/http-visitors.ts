// Plays many visitors of one dashboard in its own process: open event streams, and requests at a steady rate.
// The parent process gives the address and says when to stop.

import { Agent, get, type IncomingMessage } from 'node:http';

export interface VisitorsOrder {
  readonly port: number;
  readonly token: string;
  readonly streams: number;
  readonly requestsPerSecond: number;
}

export interface VisitorsReport {
  /** Number of answers by status code; `failed` counts requests without an answer. */
  readonly answers: Readonly<Record<string, number>>;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly seconds: number;
  /** The smallest and the largest number of `save:completed` events that a stream received. */
  readonly savesHeard: readonly [number, number];
  readonly streamsOpen: number;
}

const TICK_MS = 10;
const PATH = '/api/whatsapp/persistent-session';

process.on('disconnect', () => process.exit(1)); // never outlives its parent
process.once('message', (order: VisitorsOrder) => void visit(order));

async function visit(order: VisitorsOrder): Promise<void> {
  const listeners = await Promise.all(Array.from({ length: order.streams }, () => listen(order)));
  process.send?.('here');
  const startedAt = performance.now();
  const answers: Record<string, number> = {};
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let asked = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * order.requestsPerSecond;
    for (; asked < due; asked++) void ask(order, agent, answers, times);
  }, TICK_MS);
  process.once('message', () => {
    clearInterval(timer);
    const seconds = (performance.now() - startedAt) / 1000;
    const sorted = [...times].sort((a, b) => a - b);
    const heard = listeners.map(({ saves }) => saves);
    const report: VisitorsReport = {
      answers,
      medianMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
      seconds,
      savesHeard: [Math.min(...heard), Math.max(...heard)],
      streamsOpen: listeners.filter(({ isOpen }) => isOpen).length,
    };
    process.send?.(report, () => process.exit(0));
  });
}

interface Listener {
  saves: number;
  isOpen: boolean;
}

async function listen(order: VisitorsOrder): Promise<Listener> {
  const response = await request(order, `${PATH}/events`);
  if (response.statusCode !== 200) throw new Error(`a stream was answered with ${response.statusCode}`);
  const listener: Listener = { saves: 0, isOpen: true };
  response.setEncoding('utf8');
  let rest = '';
  response.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    listener.saves += lines.filter((line) => line === 'event: save:completed').length;
  });
  response.once('close', () => {
    listener.isOpen = false;
  });
  return listener;
}

async function ask(
  order: VisitorsOrder,
  agent: Agent,
  answers: Record<string, number>,
  times: number[],
): Promise<void> {
  const startedAt = performance.now();
  let outcome = 'failed';
  try {
    const response = await request(order, PATH, agent);
    for await (const _chunk of response); // reads the response to its end
    outcome = String(response.statusCode);
    times.push(performance.now() - startedAt);
  } catch {
    // the request counts as failed
  }
  answers[outcome] = (answers[outcome] ?? 0) + 1;
}

function request({ port, token }: VisitorsOrder, path: string, agent?: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    get({ host: '127.0.0.1', port, path, headers, ...(agent && { agent }) }, resolve).once('error', reject);
  });
}
