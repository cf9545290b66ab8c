import type { PageHandle } from './client-types.js';

type PageListener = (...args: unknown[]) => unknown;

/**
 * Contains the rejections that whatsapp-web.js leaves unhandled on its page: its `response` and `framenavigated`
 * handlers are async and reject when the browser is closed or killed under them, and its takeover timer drops the
 * promise of `page.evaluate`. Each would end the bot's process.
 */
export function containPage(page: PageHandle, onContained: (error: unknown) => void): void {
  const contained = new Map<PageListener, PageListener>();
  const on = page.on.bind(page);
  const off = page.off?.bind(page);
  page.on = (event, listener) => {
    const guarded: PageListener = (...args) => {
      const result = listener(...args);
      return result instanceof Promise ? result.catch(onContained) : result;
    };
    contained.set(listener, guarded);
    return on(event, guarded);
  };
  if (off) page.off = (event, listener) => off(event, contained.get(listener) ?? listener);

  const evaluate = page.evaluate.bind(page) as (...args: unknown[]) => Promise<unknown>;
  page.evaluate = (...args: unknown[]) => {
    const result = evaluate(...args);
    // Marks it as handled; whoever awaits it still sees the rejection.
    result.catch(() => undefined);
    return result;
  };
}
