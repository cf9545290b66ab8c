import type { AuthStrategy, Client } from 'whatsapp-web.js';

type WhatsApp = typeof import('whatsapp-web.js');

/** How a child process gets the real client in real Chromium. */
export interface RealClientOrder {
  /** Address of whatsapp-web.js. */
  readonly whatsApp: string;
  readonly executablePath: string;
  readonly args: readonly string[];
}

export async function realClient(
  order: RealClientOrder,
  strategyOf: (whatsApp: WhatsApp) => AuthStrategy | Promise<AuthStrategy>,
): Promise<Client> {
  const { default: whatsApp } = (await import(order.whatsApp)) as { default: WhatsApp };
  return new whatsApp.Client({
    authStrategy: await strategyOf(whatsApp),
    webVersionCache: { type: 'none' },
    puppeteer: { headless: true, executablePath: order.executablePath, args: [...order.args] },
  });
}
