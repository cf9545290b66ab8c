import type { FakeClient } from '../../src/testing/fake-client.js';

/** Every injection into the browser that is open now fails; the next browser's page takes it. */
export function failInjection(client: FakeClient, error: unknown): void {
  const { launches } = client;
  Object.defineProperty(client, 'injectError', {
    configurable: true,
    get: () => (client.launches === launches ? error : undefined),
  });
}
