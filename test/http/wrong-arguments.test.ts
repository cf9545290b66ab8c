import { describe, expect, it } from 'vitest';
import { createSessionHandler, type SessionLike, toNodeListener } from '../../src/http/index.js';
import { FakeClient } from '../../src/testing/fake-client.js';
import { FakeStage } from '../support/fake-stage.js';
import { FakeSession } from './support/fake-session.js';
import { API, DASHBOARD, TOKEN } from './support/http-stage.js';

const CONFIGURATION = expect.objectContaining({ code: 'CONFIGURATION' });

describe('createSessionHandler()', () => {
  it.each([
    ['the client instead of its session', () => new FakeClient(new FakeStage()), /^session: a client/],
    ['nothing', () => undefined, /^session: undefined/],
    ['an object of another kind', () => ({}), /^session: something else/],
  ])('refuses %s', (_what, given, message) => {
    const make = () => createSessionHandler(given() as unknown as SessionLike, { auth: TOKEN });
    expect(make).toThrow(CONFIGURATION);
    expect(make).toThrow(message);
  });

  it.each([
    [{ apiPath: '/healthz' }, '/healthz'],
    [{ dashboardPath: '/readyz' }, '/readyz'],
    [{ dashboardPath: `${API}/events` }, `${API}/events`],
    [{ apiPath: `${DASHBOARD}/login` }, `${DASHBOARD}/login`],
    [{ apiPath: '/bot', dashboardPath: '/bot' }, '/bot'],
  ])('refuses %j: two things would stand at one address', (paths, shared) => {
    const make = () => createSessionHandler(new FakeSession(), { auth: TOKEN, ...paths });
    expect(make).toThrow(CONFIGURATION);
    expect(make).toThrow(`"${shared}" would stand for two things`);
  });

  it.each([[{ apiPath: '/bot/api', dashboardPath: '/bot' }], [{ apiPath: '/healthz/api' }]])(
    'takes %j: none is in the way of another',
    (paths) => {
      createSessionHandler(new FakeSession(), { auth: TOKEN, ...paths }).close();
    },
  );
});

describe('toNodeListener()', () => {
  it('refuses the session instead of its handler', () => {
    const make = () => toNodeListener(new FakeSession() as never);
    expect(make).toThrow(CONFIGURATION);
    expect(make).toThrow(/^handler: an object .*createSessionHandler/);
  });
});
