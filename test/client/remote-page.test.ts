import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { faultOfRemotePage } from '../../src/client/remote-page.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const VERSION = '2.3000.1';
const NEVER = new AbortController().signal;

describe("the server of a remote web cache, asked for WhatsApp's page", () => {
  const servers: Server[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function ask(remotePath: unknown, { clock = new ManualClock(), signal = NEVER } = {}) {
    return faultOfRemotePage({ remotePath, version: VERSION }, { clock, signal });
  }

  it('is found in order where it sends the page of the version, with the credentials of the address', async () => {
    const asked: unknown[] = [];
    const base = await serve(({ url, headers }, response) => {
      asked.push(url, headers.authorization);
      response.end('<html>');
    });
    const address = base.replace('//', '//bot:pa%24s@');
    expect(await ask(`${address}/{version}.html?token=x`)).toBeUndefined();
    expect(asked).toEqual([`/${VERSION}.html?token=x`, `Basic ${btoa('bot:pa$s')}`]);
  });

  it.each([
    [404, true],
    [403, true],
    [429, false],
    [503, false],
  ])('is named with its answer %d, without credentials and query', async (status, isFinal) => {
    const base = await serve((_request, response) => response.writeHead(status).end());
    const fault = await ask(`${base.replace('//', '//bot:pa55@')}/{version}.html?token=s3cret`);
    expect(fault).toEqual({ address: `${base}/${VERSION}.html`, why: `HTTP ${status}`, isFinal });
  });

  it('is named where it refuses', async () => {
    const base = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const fault = await ask(`${base}/{version}.html`);
    expect(fault).toMatchObject({ address: `${base}/${VERSION}.html`, isFinal: false });
    expect(fault?.why).toContain('ECONNREFUSED');
  });

  it.each<[string, RequestListener]>([
    ['says nothing', () => undefined],
    ['stops in the middle of the page', (_request, response) => void response.write('<html>')],
  ])('is named where it %s, after a deadline', async (_name, listener) => {
    const clock = new ManualClock();
    let hasAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      hasAsked = resolve;
    });
    const base = await serve((request, response) => {
      listener(request, response);
      hasAsked();
    });
    const asking = ask(`${base}/x`, { clock });
    await asked;
    await clock.advanceUntil(asking);
    expect(await asking).toMatchObject({ address: `${base}/x`, isFinal: false });
    expect((await asking)?.why).toContain('longer than');
  });

  it('is named where it breaks off', async () => {
    const base = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('<html>');
      setImmediate(() => request.socket.destroy());
    });
    expect(await ask(`${base}/x`)).toMatchObject({ address: `${base}/x`, isFinal: false });
  });

  it.each([
    ['not-an-address', 'not-an-address'],
    ['ftp://bot:pa55@host/{version}?token=x', `ftp://host/${VERSION}`],
  ])('is no server at all: %s', async (remotePath, address) => {
    expect(await ask(remotePath)).toEqual({ address, why: 'it is no http or https address', isFinal: true });
  });

  it('is not asked where none is set: whatsapp-web.js says that itself', async () => {
    expect(await ask(undefined)).toBeUndefined();
  });

  it('keeps nobody waiting who ends the start', async () => {
    const base = await serve(() => undefined);
    const ended = new AbortController();
    const asking = ask(`${base}/x`, { signal: ended.signal });
    ended.abort(new Error('destroyed'));
    await expect(asking).rejects.toThrow('destroyed');
  });
});
