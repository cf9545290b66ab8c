import { describe, expect, it } from 'vitest';
import { causeOfDisconnect } from '../../src/client/lost-state.js';

describe('causeOfDisconnect', () => {
  it.each([
    ['CONFLICT', 'conflict'],
    ['UNPAIRED', 'unpaired'],
    ['UNPAIRED_IDLE', 'unpaired'],
    ['DEPRECATED_VERSION', 'deprecated-version'],
    ['PROXYBLOCK', 'proxy-blocked'],
    ['TOS_BLOCK', 'tos-blocked'],
    ['SMB_TOS_BLOCK', 'tos-blocked'],
    ['UNLAUNCHED', 'state-lost'],
    ['', 'state-lost'],
    ['constructor', 'state-lost'],
  ])('tells of %j: %s', (reason, cause) => {
    expect(causeOfDisconnect(reason)).toBe(cause);
  });
});
