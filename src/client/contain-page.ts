import type { PageHandle } from './client-types.js';

type PageListener = (...args: unknown[]) => unknown;

/** Receives an error that was caught; `exposed` is the name of the function that failed, if the page called it. */
export type OnContained = (error: unknown, exposed?: string) => void;

/**
 * Catches the rejections that whatsapp-web.js leaves unhandled on its page. Its `response` and `framenavigated` handlers
 * are async and reject when the browser is closed or killed meanwhile, and its takeover timer ignores the promise of
 * `page.evaluate`. Each such rejection would end the bot's process.
 *
 * Also reports failures that nobody would see: of the functions that the client exposes to the page (for example
 * `onAppStateHasSyncedEvent`, which leads to `ready`). Such an error only reaches the page, which ignores it.
 */
export function containPage(page: PageHandle, onContained: OnContained): void {
  const contained = new Map<PageListener, PageListener>();
  const on = page.on.bind(page);
  const off = page.off?.bind(page);
  page.on = (event, listener) => {
    // A listener has one wrapper for all events, so that it can be removed from each of them.
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
    // Marks the rejection as handled; code that awaits the promise still gets it.
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
          throw error; // the page still gets the error
        }
      });
  }
}
