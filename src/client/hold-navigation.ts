import type { PageHandle } from './client-types.js';

/**
 * Holds a page's navigations until `verdict` resolves: a browser changes the profile's data when it opens the page of a
 * site, not when it is launched (docs/profile.md). If the verdict rejects, the navigation rejects with the same error.
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
