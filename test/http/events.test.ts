import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionEventPayloads } from '../../src/index.js';
import { BACKUP, healthReport, SAVE } from './support/fake-session.js';
import { API, TOKEN, useHttpStage } from './support/http-stage.js';
import { checkEvent, openapi } from './support/openapi.js';

interface StreamEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

const stage = useHttpStage();
const readers: Reader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.leave();
});

/** Reads a stream as EventSource does. */
class Reader {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #text = '';

  constructor(response: Response) {
    this.response = response;
    this.#reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  }

  /** The next block, which is an event, a comment or `retry`; `undefined` at the end. */
  async block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined };
      if (done) return undefined;
      this.#text += new TextDecoder().decode(value);
    }
  }

  async next(): Promise<StreamEvent | undefined> {
    for (let block = await this.block(); block !== undefined; block = await this.block()) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
      if (fields.event === undefined) continue;
      const data: unknown = JSON.parse(fields.data ?? '');
      expect(checkEvent(fields.event, data)).toEqual([]);
      return { event: fields.event, data, ...(fields.id && { id: fields.id }) };
    }
    return undefined;
  }

  async leave(): Promise<void> {
    await this.#reader?.cancel().catch(() => undefined);
  }
}

async function open(lastEventId?: string): Promise<Reader> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(lastEventId && { 'last-event-id': lastEventId }) };
  const reader = new Reader(await fetch(`${stage().origin}${API}/events`, { headers }));
  readers.push(reader);
  return reader;
}

const PAYLOADS: SessionEventPayloads = {
  'state:changed': { from: 'ready', to: 'reconnecting', cause: 'timeout' },
  'save:completed': { snapshot: SAVE, durationMs: 5, bytesWritten: 10 },
  'save:failed': { error: { code: 'STORE', message: 'down' } },
  'save:skipped': { reason: 'unchanged' },
  'backup:completed': { snapshot: BACKUP, durationMs: 5, bytesWritten: 10 },
  'backup:failed': { error: { code: 'STORE', message: 'down' } },
  'backup:skipped': { reason: 'not-ready' },
  'restore:started': { snapshot: BACKUP, reason: 'requested' },
  'restore:completed': {
    snapshot: BACKUP,
    reason: 'requested',
    stateAt: '2026-11-23T05:14:09.123Z',
    ageMs: 5,
    durationMs: 6,
  },
  'restore:failed': { error: { code: 'SNAPSHOT_CORRUPT', message: 'torn' }, snapshot: BACKUP },
  'corruption:detected': { where: 'profile', findings: [{ file: 'CURRENT', problem: 'empty' }] },
  'reconnect:scheduled': { attempt: 1, maxAttempts: null, delayMs: 5000, cause: 'browser-gone' },
  'reconnect:attempted': { attempt: 1, cause: 'browser-gone' },
  'reconnect:succeeded': { attempt: 1, durationMs: 900, cause: 'browser-gone' },
  'reconnect:exhausted': {
    attempts: 5,
    cause: 'browser-gone',
    error: { code: 'INTERNAL', message: 'no browser' },
  },
  'health:checked': { report: healthReport() },
  'health:changed': { from: 'healthy', to: 'warning', report: healthReport() },
  'session:revoked': { cause: 'phone' },
  'session:quarantined': { path: '/q', reason: 'damaged' },
  'session:imported': { from: '/old', snapshot: SAVE },
  'session:cleared': { snapshots: 2 },
  'profile:pruned': { freedBytes: 1, files: 2 },
  'snapshots:pruned': { removed: [SAVE.id], freedBytes: 3 },
  'lease:acquired': { owner: 'host', generation: 2 },
  'lease:lost': { reason: 'taken over' },
  warning: { code: 'storage', message: 'will not last' },
};

describe('the event stream', () => {
  it('tells every event of the session, with an id', async () => {
    const reader = await open();
    expect(reader.response.headers.get('content-type')).toContain('text/event-stream');
    expect(await reader.next()).toEqual({ event: 'stream:opened', data: { resumed: false } });
    for (const [name, payload] of Object.entries(PAYLOADS)) {
      stage().session.emit(name, payload);
      expect(await reader.next()).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{8}-\d+$/),
        event: name,
        data: payload,
      });
    }
    const own = [
      'stream:opened',
      'pairing:received',
      'pairing:dropped',
      'job:started',
      'job:completed',
      'job:failed',
    ];
    expect(Object.keys(openapi['x-events']).sort()).toEqual([...Object.keys(PAYLOADS), ...own].sort());
  });

  it('tells that a QR waits, but not the QR', async () => {
    const reader = await open();
    await reader.next();
    stage().session.state = 'awaiting_qr';
    stage().session.client.emit('qr', '2@secret,x');
    expect(await reader.next()).toMatchObject({
      event: 'pairing:received',
      data: { kind: 'qr', receivedAt: '2026-11-23T06:00:00.000Z' },
    });
    stage().session.client.emit('ready');
    expect(await reader.next()).toMatchObject({ event: 'pairing:dropped', data: { kind: 'qr' } });
  });

  it('tells how jobs go', async () => {
    const reader = await open();
    await reader.next();
    await stage().act({ action: 'backup' });
    expect(await reader.next()).toMatchObject({ event: 'job:started', data: { job: { status: 'running' } } });
    expect(await reader.next()).toMatchObject({
      event: 'job:completed',
      data: { job: { action: 'backup' } },
    });
    stage().session.fail('backup', new Error('x'));
    await stage().act({ action: 'backup' });
    await reader.next();
    expect(await reader.next()).toMatchObject({
      event: 'job:failed',
      data: { job: { error: { code: 'INTERNAL' } } },
    });
  });

  it('goes on where it was left', async () => {
    const first = await open();
    await first.next();
    stage().session.emit('lease:lost', { reason: 'one' });
    const last = await first.next();
    await first.leave();
    stage().session.emit('lease:lost', { reason: 'two' });
    const second = await open(last?.id);
    expect(await second.next()).toMatchObject({ event: 'stream:opened', data: { resumed: true } });
    expect(await second.next()).toMatchObject({ data: { reason: 'two' } });
  });

  it.each(['00000000-1', 'x', '-1', '__proto__', `${'9'.repeat(60)}`])(
    'starts anew after the id %s',
    async (id) => {
      stage().session.emit('lease:lost', { reason: 'one' });
      expect(await (await open(id)).next()).toMatchObject({ data: { resumed: false } });
    },
  );

  it('starts anew after an id that is not kept any more', async () => {
    const first = await open();
    await first.next();
    stage().session.emit('lease:lost', { reason: 'one' });
    const last = await first.next();
    await first.leave();
    for (let n = 0; n < 300; n++) stage().session.emit('lease:lost', { reason: `${n}` });
    expect(await (await open(last?.id)).next()).toMatchObject({ data: { resumed: false } });
  });

  it('says that it lives', async () => {
    const reader = await open();
    await reader.next();
    await stage().clock.advance(15_000);
    expect(await reader.block()).toBe(': heartbeat');
    await stage().clock.advance(15_000);
    expect(await reader.block()).toBe(': heartbeat');
  });

  it('is kept from middleware that would collect it, to compress it', async () => {
    const { headers } = (await open()).response;
    expect(headers.get('cache-control')).toBe('no-store, no-transform');
  });

  it("ends when the caller's own login has ended", async () => {
    let isLoggedIn = true;
    stage().use({ auth: async () => isLoggedIn });
    const reader = await open();
    await reader.next();
    await stage().clock.advance(15_000);
    expect(await reader.block()).toBe(': heartbeat');
    isLoggedIn = false;
    await stage().clock.advance(15_000);
    expect(await reader.block()).toBe(': heartbeat');
    expect(await reader.block()).toBeUndefined();
  });

  it('is one of a bounded number; one that left makes room', async () => {
    stage().use({ maxStreams: 2 });
    const [first] = [await open(), await open()];
    const refused = await stage().call(`${API}/events`);
    expect(refused.json.error).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    await first?.leave();
    await expect.poll(async () => (await open()).response.status).toBe(200);
  });

  it('ends when the handler is closed, and leaves no timer and no listener', async () => {
    const reader = await open();
    await reader.next();
    stage().handler.close();
    expect(await reader.next()).toBeUndefined();
    expect(stage().clock.pendingTimers).toBe(0);
    expect((await stage().call(`${API}/events`)).status).toBe(503);
    expect(stage().session.eventNames()).toEqual([]);
    expect(
      stage()
        .session.client.eventNames()
        .flatMap((name) => stage().session.client.listeners(name)),
    ).toEqual([]);
  });
});

describe('a reader that is too slow', () => {
  it('is dropped, and what waited for it is thrown away', async () => {
    const { handler, session } = stage();
    const request = () =>
      new Request(`http://x${API}/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const slow = await handler(request());
    const before = process.memoryUsage().arrayBuffers;
    const reason = 'x'.repeat(20_000);
    for (let n = 0; n < 6000; n++) session.emit('lease:lost', { reason }); // 120 MB, were it all kept
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80_000_000);
    await expect(slow.text()).rejects.toThrow('too slow');
    expect((await handler(request())).status).toBe(200);
  });

  it('over the network is dropped, too, and the others are served', async () => {
    const slow = connect(stage().port, '127.0.0.1'); // reads nothing, so all buffers between fill up
    slow.pause();
    slow.write(`GET ${API}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    const quick = await open();
    await quick.next();
    const padding = 'x'.repeat(30_000);
    const [batches, size] = [100, 8];
    for (let batch = 0; batch < batches; batch++) {
      for (let n = 0; n < size; n++) stage().session.emit('lease:lost', { reason: `${n} ${padding}` });
      for (let n = 0; n < size; n++) expect((await quick.next())?.event).toBe('lease:lost');
    }
    let received = 0;
    slow.on('data', (chunk) => {
      received += chunk.byteLength;
    });
    await new Promise((resolve) => slow.once('close', resolve).once('error', resolve).resume());
    expect(received).toBeLessThan(batches * size * padding.length);
  });

  it('does not get an event that is too long, only word of it', async () => {
    const { handler, session } = stage();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await handler(new Request(`http://x${API}/events`, { headers }));
    session.emit('warning', { code: 'storage', message: 'x'.repeat(100_000) });
    handler.close();
    expect(await response.text()).toContain('data: {"truncated":true}');
  });
});
