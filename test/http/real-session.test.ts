import { describe, expect, it } from 'vitest';
import { createSessionHandler, type SessionHandler } from '../../src/http/index.js';
import type { FakeBot } from '../support/fake-bot.js';
import { useFakeStage } from '../support/fake-stage.js';
import { API, TOKEN } from './support/http-stage.js';
import { checkAnswer } from './support/openapi.js';

const BY_HAND = { forceSaveIntervalMs: 0, backupIntervalMs: 0, sessionValidationIntervalMs: 0 };
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };

describe('over a real session', () => {
  const stage = useFakeStage();

  /** Asks, and moves the clock until it is answered; the answer must be one of docs/openapi.yaml. */
  async function ask(bot: FakeBot, handler: SessionHandler, path: string, body?: object): Promise<Answered> {
    const method = body ? 'POST' : 'GET';
    const request = { method, headers: HEADERS, ...(body && { body: JSON.stringify(body) }) };
    const url = `http://127.0.0.1${path}`;
    const response = await bot.finish(handler(new Request(url, request)));
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const answer = { status: response.status, headers: response.headers, text };
    expect(checkAnswer(method, new URL(url).pathname, answer)).toEqual([]);
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, bytes, json: isJson ? JSON.parse(text) : {} };
  }

  it('goes from the QR to a backup in hand, and clears', async () => {
    const bot = stage().bot({ session: BY_HAND });
    const options = { auth: TOKEN, allowDownload: true, clock: stage().clock };
    const handler = createSessionHandler(bot.session, options);
    const get = (path: string) => ask(bot, handler, path);
    const act = (body: object) => ask(bot, handler, `${API}?wait=60`, body);

    expect((await get(API)).json).toMatchObject({
      session: { state: 'idle', hasSession: false, hasBackup: false },
    });
    expect((await act({ action: 'initialize' })).json).toMatchObject({ result: { state: 'awaiting_qr' } });
    expect((await get(API)).json).toMatchObject({ qr: { value: bot.codes[0] } });
    await bot.client.scan();
    await bot.untilState('ready');
    expect((await act({ action: 'health-check' })).json).toMatchObject({
      result: { score: expect.any(Number) },
    });
    expect((await get(API)).json).toMatchObject({
      qr: null,
      health: { metrics: { state: 'ready' } },
      session: { connected: true, hasSession: true, sessionSizeMb: expect.any(Number) },
    });

    const taken = await act({ action: 'backup' });
    const { snapshot } = taken.json.result as { snapshot: { id: string } };
    await act({ action: 'force-save' });
    expect((await get(API)).json).toMatchObject({
      session: { hasBackup: true, lastSaved: expect.any(String) },
    });
    const zip = await get(`${API}/snapshots/${snapshot.id}`);
    expect(zip.status).toBe(200);
    expect(new TextDecoder().decode(zip.bytes.subarray(0, 2))).toBe('PK');
    const stored = (await stage().filesBelow('/bot/backup')).filter((path) => path.endsWith('.zip'));
    const onDisk = new Uint8Array((await stage().fs.promises.readFile(stored[0] ?? '')) as Buffer);
    expect(zip.bytes).toEqual(onDisk);

    expect(
      (await act({ action: 'send-test-message', phoneNumber: '201234567890', message: 'مرحبا' })).status,
    ).toBe(200);
    expect(bot.client.sent).toEqual([{ chatId: '201234567890@c.us', content: 'مرحبا' }]);
    expect((await act({ action: 'verify' })).json).toMatchObject({ result: { corrupt: [] } });
    expect((await act({ action: 'restore', snapshotId: snapshot.id })).json).toMatchObject({ success: true });
    expect((await act({ action: 'clear' })).json).toMatchObject({ result: { state: 'idle' } });
    expect((await get(API)).json).toMatchObject({
      session: { hasSession: false, hasBackup: false, snapshots: [] },
    });
    handler.close();
  });

  it('hands out no zip of another client, none that is damaged, and no save', async () => {
    const other = stage().bot({ session: { ...BY_HAND, clientId: 'other' }, auth: 'none', folder: '/bot2' });
    await other.logIn();
    const foreign = (await other.backUp('theirs')).id;
    const bot = stage().bot({ session: { ...BY_HAND, backupPath: '/bot2/backup' } });
    await bot.logIn();
    const own = (await bot.backUp('ours')).id;
    const save = (await bot.save('ours, too')).id;
    const options = { auth: TOKEN, allowDownload: true, clock: stage().clock };
    const handler = createSessionHandler(bot.session, options);
    expect((await ask(bot, handler, `${API}/snapshots/${foreign}`)).json).toMatchObject({
      error: { code: 'SNAPSHOT_NOT_FOUND' },
    });
    expect((await ask(bot, handler, `${API}/snapshots/${save}`)).json).toMatchObject({
      error: { code: 'INVALID_STATE' },
    });
    const path = (await stage().filesBelow('/bot2/backup')).find((file) => file.includes(own)) ?? '';
    const bytes = (await stage().fs.promises.readFile(path)) as Buffer;
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
    await stage().fs.promises.writeFile(path, bytes);
    expect((await ask(bot, handler, `${API}/snapshots/${own}`)).status).toBeGreaterThanOrEqual(404);
    handler.close();
  });
});

interface Answered {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly json: { readonly [field: string]: unknown };
}
