import type { FakeClient, FakeClientOptions } from '../../src/testing/index.js';

type Fakes = Pick<typeof import('../../src/testing/index.js'), 'FakeClient' | 'FakeWhatsApp'>;

/** A fake client that treats every profile as logged in, because it can't read the login of a real profile. */
export function loggedInClient(
  { FakeClient: Base, FakeWhatsApp }: Fakes,
  options: Omit<FakeClientOptions, 'whatsApp'>,
): FakeClient {
  class LoggedInClient extends Base {
    override async inject(): Promise<void> {
      const page = this.pupPage;
      if (page === null) throw new Error('there is no page');
      Object.assign(page, { state: 'CONNECTED', hasSynced: true, injected: true });
      setImmediate(() => {
        this.info = { wid: { _serialized: '4915100000001@c.us' } };
        this.emit('authenticated');
        this.emit('ready');
      });
    }
  }
  return new LoggedInClient({ ...options, whatsApp: new FakeWhatsApp() });
}
