/**
 * Bundles the dashboard's sources (src/http/dashboard/client) into src/http/dashboard/generated.ts, which is checked in:
 * the package is built, tested and run from its sources without a further step.
 *
 * Usage: npm run build:dashboard
 */
import { writeFileSync } from 'node:fs';
import { bundleDashboard, GENERATED } from './dashboard/bundle.js';

writeFileSync(GENERATED, await bundleDashboard());
