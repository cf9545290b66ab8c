// Next.js calls it once when the server starts, before the first visit, and never while it builds.
// A bot needs one process that stays: `next start` on a machine or in a container, no serverless function.
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { startBot } = await import('./lib/session');
  startBot();
}
