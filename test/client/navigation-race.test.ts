import { describe, expect, it } from 'vitest';
import { isNavigationRace } from '../../src/client/navigation-race.js';

describe('isNavigationRace', () => {
  it.each([
    new Error('Execution context was destroyed, most likely because of a navigation.'),
    new Error('Protocol error (Runtime.callFunctionOn): Cannot find context with specified id'),
    new Error('Protocol error (Runtime.evaluate): Inspected target navigated or closed'),
    'Execution context was destroyed',
  ])('is one: %s', (error) => {
    expect(isNavigationRace(error)).toBe(true);
  });

  it.each([
    new Error('Protocol error (Runtime.callFunctionOn): Target closed'),
    new Error('net::ERR_CONNECTION_REFUSED at https://web.whatsapp.com/'),
    'auth timeout',
    undefined,
  ])('is none: %s', (error) => {
    expect(isNavigationRace(error)).toBe(false);
  });
});
