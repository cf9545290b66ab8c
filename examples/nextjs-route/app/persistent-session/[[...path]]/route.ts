export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
export { handle as GET, handle as HEAD, handle as OPTIONS, handle as POST } from '../../../lib/session';
