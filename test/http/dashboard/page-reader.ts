import type { Page } from 'puppeteer';

/** Waits until an element has a text. Marks of direction do not count. */
export async function see(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].some((element) =>
      element.textContent.replace(/[\\u2068\\u2069]/g, '').includes(${JSON.stringify(text)}))`,
  );
}

/** Presses a button by its words, as soon as it can be pressed. */
export async function press(page: Page, within: string, text: string): Promise<void> {
  await page.locator(`${within} button[aria-disabled=false] ::-p-text(${text})`).click();
}

/** Language and direction of the page, for example `ar,rtl`. */
export async function direction(page: Page): Promise<unknown> {
  return page.evaluate('[document.documentElement.lang, document.documentElement.dir].join()');
}
