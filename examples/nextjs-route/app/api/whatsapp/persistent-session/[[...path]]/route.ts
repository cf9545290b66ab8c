// A bot needs one process that stays: `next start` on a machine or in a container, no serverless function.
import { handler } from '../../../../../lib/session.js';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
export const { GET, HEAD, POST, OPTIONS } = handler;
