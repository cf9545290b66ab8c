import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createCertificate } from '../simulator/certificate.js';
import { useStage } from './setup.js';

describe('what comes in place of WhatsApp’s page', () => {
  const stage = useStage();
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  /** Serves web.whatsapp.com; resolves to a bot that meets it. */
  async function botBefore(answer: (response: ServerResponse) => void) {
    const serving = createServer(createCertificate(), (_request, response) => answer(response));
    server = serving;
    await new Promise<void>((resolve) => serving.listen(0, '127.0.0.1', resolve));
    const { port } = serving.address() as AddressInfo;
    // Shorter than sessionTimeoutMs, as by default: whatsapp-web.js gives up first.
    const client = { authTimeoutMs: 5000 };
    return stage.bot({
      simulator: { port },
      client,
      session: { maxInitRetries: 0, maxReconnectAttempts: 0 },
    });
  }

  it.each([
    [503, '<title>Access to this site is blocked</title>', 'HTTP 503 ("Access to this site is blocked")'],
    [403, '<title>Access to this site is blocked</title>', 'HTTP 403 ("Access to this site is blocked")'],
    [502, '', 'HTTP 502'],
  ])('is named and waited out where it is an error page: HTTP %i %j', async (status, body, named) => {
    const bot = await botBefore((response) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      response.end(body);
    });
    const scheduled = bot.once('reconnect:scheduled');
    bot.session.initialize().catch(() => undefined);
    const { cause, error } = await scheduled;
    expect(cause).toBe('network-down');
    expect(error?.message).toContain(named);
    expect(bot.session.status().lastError?.message).toContain(named);
  });

  it('is named by the last error of the page, where whatsapp-web.js says no more than "auth timeout"', async () => {
    const script = "setTimeout(() => { throw new Error('Requiring unknown module WAWebSocketModel') }, 500)";
    const bot = await botBefore((response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<title>WhatsApp</title><script>${script}</script>`);
    });
    const failure = await bot.session.initialize().catch((error: unknown) => error);
    expect(String(failure)).toContain('auth timeout');
    expect(String(failure)).toContain('Requiring unknown module WAWebSocketModel');
  });

  it('is named by its title, where it is a page that says so without an error status', async () => {
    const bot = await botBefore((response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<title>Sign in to the hotel</title>');
    });
    const failure = await bot.session.initialize().catch((error: unknown) => error);
    expect(String(failure)).toContain('the page there is "Sign in to the hotel"');
  });
});
