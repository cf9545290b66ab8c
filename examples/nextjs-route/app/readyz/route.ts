export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
export { handle as GET, handle as HEAD } from '../../lib/session';
