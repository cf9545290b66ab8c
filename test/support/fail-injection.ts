import type { FakeClient } from '../../src/testing/fake-client.js';

/** Makes every injection into the currently open browser fail; in the next browser it works. */
export function failInjection(client: FakeClient, error: unknown): void {
  const { launches } = client;
  Object.defineProperty(client, 'injectError', {
    configurable: true,
    get: () => (client.launches === launches ? error : undefined),
  });
}
