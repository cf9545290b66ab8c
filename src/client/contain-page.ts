import type { PageHandle } from './client-types.js';

type PageListener = (...args: unknown[]) => unknown;

/** What was contained, and where it came from where that has a name: a function that the page calls. */
export type OnContained = (error: unknown, exposed?: string) => void;

/**
 * Contains the rejections that whatsapp-web.js leaves unhandled on its page: its `response` and `framenavigated`
 * handlers are async and reject when the browser is closed or killed under them, and its takeover timer drops the
 * promise of `page.evaluate`. Each would end the bot's process.
 *
 * And tells of what is lost without a word: a function that the client gives the page (`onAppStateHasSyncedEvent`, in
 * which it gets ready) and that fails. Only the page hears of it, and the page does nothing about it.
 */
export function containPage(page: PageHandle, onContained: OnContained): void {
  const contained = new Map<PageListener, PageListener>();
  const on = page.on.bind(page);
  const off = page.off?.bind(page);
  page.on = (event, listener) => {
    // One form for all its events, so that each of them can be given up.
    const guarded: PageListener =
      contained.get(listener) ??
      ((...args) => {
        const result = listener(...args);
        return result instanceof Promise ? result.catch((error: unknown) => onContained(error)) : result;
      });
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

  const expose = page.exposeFunction?.bind(page);
  if (expose) {
    page.exposeFunction = (name, exposed) =>
      expose(name, async (...args) => {
        try {
          return await exposed(...args);
        } catch (error) {
          onContained(error, name);
          throw error; // the page hears of it as before
        }
      });
  }
}
