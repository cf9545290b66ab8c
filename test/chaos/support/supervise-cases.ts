import { BROWSER_CASES } from './supervise-browser-cases.js';
import type { SuperviseCase } from './supervise-case.js';
import { DISK_CASES } from './supervise-disk-cases.js';
import { LOGOUT_CASES } from './supervise-logout-cases.js';
import { NETWORK_CASES } from './supervise-network-cases.js';
import { PROCESS_CASES } from './supervise-process-cases.js';

/** Every fault, in the order of the table. */
export const SUPERVISE_CASES: readonly SuperviseCase[] = [
  ...BROWSER_CASES,
  ...NETWORK_CASES,
  ...LOGOUT_CASES,
  ...DISK_CASES,
  ...PROCESS_CASES,
];
