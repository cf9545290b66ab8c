import { BROWSER_CASES } from './browser-cases.js';
import type { SuperviseCase } from './case.js';
import { DISK_CASES } from './disk-cases.js';
import { LOGOUT_CASES } from './logout-cases.js';
import { NETWORK_CASES } from './network-cases.js';
import { PROCESS_CASES } from './process-cases.js';

/** Every fault, in the order of the table. */
export const SUPERVISE_CASES: readonly SuperviseCase[] = [
  ...BROWSER_CASES,
  ...NETWORK_CASES,
  ...LOGOUT_CASES,
  ...DISK_CASES,
  ...PROCESS_CASES,
];
