import { isObject, refuse, show } from '../options/checks.js';

/**
 * Refuses options of the browser that are none: puppeteer would fail over them at the launch, in words that name no option.
 * `['--no-sandbox', process.env.PROXY && '--proxy-server=...']` has an `undefined` in it where the variable is not set.
 *
 * @throws ConfigurationError that names the option, what it is and what is accepted
 */
export function assertReadable(puppeteer: unknown): void {
  if (!isObject(puppeteer)) refuse('client: puppeteer', show(puppeteer), 'an object');
  const { args, userDataDir } = puppeteer;
  if (userDataDir !== undefined && (typeof userDataDir !== 'string' || userDataDir.trim() === '')) {
    refuse('client: puppeteer.userDataDir', show(userDataDir), 'the path of a folder');
  }
  if (args === undefined) return;
  if (!Array.isArray(args)) refuse('client: puppeteer.args', show(args), "a list of texts, ['--no-sandbox']");
  const wrong = args.findIndex((argument) => typeof argument !== 'string');
  if (wrong === -1) return;
  const name = `client: puppeteer.args[${wrong}]`;
  refuse(name, show(args[wrong]), 'a text; leave out what is not set: args.filter(Boolean)');
}
