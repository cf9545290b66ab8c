import type { PageHandle } from './client-types.js';

/**
 * Lets a page go nowhere before `verdict` is in: what a browser does to a profile it does when the page of a site opens, not
 * when it is launched (docs/profile.md). A verdict that rejects is what the navigation rejects with.
 */
export function holdNavigation(page: PageHandle, verdict: () => Promise<void>): void {
  const goto = page.goto?.bind(page);
  if (goto === undefined) return;
  let asked: Promise<void> | undefined;
  page.goto = async (...args) => {
    asked ??= verdict();
    await asked;
    return goto(...args);
  };
}
