/**
 * Bundles the dashboard's sources (src/http/dashboard/client) into src/http/dashboard/generated.ts. That file is
 * checked in, so that the package can be built, tested and run from its sources without a further step.
 *
 * Usage: npm run build:dashboard
 */
import { writeFileSync } from 'node:fs';
import { bundleDashboard, GENERATED } from './dashboard/bundle.js';

writeFileSync(GENERATED, await bundleDashboard());
