import type { AuthStrategy, Client, ClientOptions } from 'whatsapp-web.js';
import wweb from 'whatsapp-web.js';
import { ensureChromium } from '../../scripts/chromium.js';
import { CHROMIUM_ARGUMENTS } from '../support/chromium-arguments.js';
import type { WhatsAppSimulator } from './server.js';
import { waitForEvent, withDeadline } from './waiting.js';

export { waitForEvent } from './waiting.js';

/** The exports of whatsapp-web.js that a bot uses, from the project's own version or another one. */
export type Library = Pick<typeof wweb, 'Client' | 'LocalAuth' | 'NoAuth'>;

export interface BotOptions {
  readonly simulator: Pick<WhatsAppSimulator, 'port'>;
  /** `local` is LocalAuth over `dataPath` and `clientId`, `none` is NoAuth over `userDataDir`. Default `local`. */
  readonly auth?: 'local' | 'none' | AuthStrategy;
  readonly dataPath?: string;
  readonly clientId?: string;
  readonly userDataDir?: string;
  /** Further options of the Client; its puppeteer arguments are added to those that lead Chromium to the simulator. */
  readonly clientOptions?: ClientOptions;
  readonly executablePath?: string;
  /** Default: the whatsapp-web.js that the project is developed with. */
  readonly library?: Library;
}

/** Creates a real whatsapp-web.js Client for the simulator, not initialized yet. */
export function createBot(options: BotOptions): Client {
  const { clientOptions = {}, library = wweb } = options;
  const { puppeteer = {} } = clientOptions;
  return new library.Client({
    ...clientOptions,
    authStrategy: clientOptions.authStrategy ?? authStrategy(options),
    webVersionCache: clientOptions.webVersionCache ?? { type: 'none' },
    puppeteer: {
      headless: true,
      executablePath: options.executablePath ?? ensureChromium(),
      ...(options.userDataDir === undefined ? {} : { userDataDir: options.userDataDir }),
      ...puppeteer,
      args: [...chromiumArguments(options.simulator.port), ...(puppeteer.args ?? [])],
    },
  });
}

/** The arguments that make Chromium use the simulator as web.whatsapp.com, and contact no other server. */
export function chromiumArguments(port: number): string[] {
  return [
    `--host-resolver-rules=MAP web.whatsapp.com 127.0.0.1:${port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    '--ignore-certificate-errors',
    ...CHROMIUM_ARGUMENTS,
  ];
}

function authStrategy(options: BotOptions): AuthStrategy {
  const { auth = 'local', clientId, dataPath, library = wweb } = options;
  if (auth === 'none') return new library.NoAuth();
  if (auth !== 'local') return auth;
  return new library.LocalAuth({
    ...(clientId === undefined ? {} : { clientId }),
    ...(dataPath === undefined ? {} : { dataPath }),
  });
}

/** The data that the page has stored, read from its database. */
export interface PageState {
  readonly account?: string;
  readonly deviceId?: string;
  readonly socketState: string;
  readonly ratchet: number;
  readonly messageCount: number;
  readonly messages: readonly {
    readonly id: string;
    readonly from: string;
    readonly to: string;
    readonly body: string;
  }[];
  /** Records written by `startTraffic()` and `writeBulk()`. */
  readonly trafficCount: number;
}

export async function pageState(client: Client, timeoutMs = 20_000): Promise<PageState> {
  const state = await withDeadline(
    openPage(client).evaluate('window.simulator.state()'),
    timeoutMs,
    'pageState',
  );
  return state as PageState;
}

/** Crashes the renderer, like a lack of memory; resolves when puppeteer has noticed. */
export async function crashPage(client: Client, timeoutMs = 20_000): Promise<void> {
  const page = openPage(client);
  const crashed = waitForEvent(page, 'error', timeoutMs);
  page.goto('chrome://crash').catch(() => undefined); // the page never answers
  await crashed;
}

/** Kills the browser with SIGKILL, like the end of a container; resolves when puppeteer has noticed. */
export async function killBrowser(client: Client, timeoutMs = 20_000): Promise<void> {
  const browser = client.pupBrowser;
  const pid = browser?.process()?.pid;
  if (!browser || pid === undefined || !browser.connected)
    throw new Error('This client has no running browser.');
  const gone = waitForEvent(browser, 'disconnected', timeoutMs);
  killGroup(pid);
  await gone;
}

/** Closes the client in any state: first normally, then, after the deadline, by SIGKILL. */
export async function closeBot(client: Client, timeoutMs = 10_000): Promise<void> {
  const browserProcess = client.pupBrowser?.process();
  try {
    await withDeadline(client.destroy(), timeoutMs, 'client.destroy()');
  } catch {
    // A crashed page or a starting client may not close by itself.
  }
  if (
    browserProcess?.pid === undefined ||
    browserProcess.exitCode !== null ||
    browserProcess.signalCode !== null
  )
    return;
  const exited = waitForEvent(browserProcess, 'exit', timeoutMs);
  killGroup(browserProcess.pid);
  await exited;
}

/** Kills the process group: puppeteer starts Chromium as the leader of its own group, so its helpers end, too. */
function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

function openPage(client: Client) {
  if (client.pupPage === undefined || client.pupPage === null)
    throw new Error('This client has no page yet.');
  return client.pupPage;
}
