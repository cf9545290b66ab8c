import { handler } from '../../../lib/session.js';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
export const { GET, HEAD, POST, OPTIONS } = handler;
