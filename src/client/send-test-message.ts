import { type Clock, withDeadline } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import type { WhatsAppClient } from './client-types.js';

export interface TestMessageResult {
  /** The chat that got the message, `<number>@c.us`. */
  readonly chatId: string;
  /** WhatsApp's id of the message, if the client returned it. */
  readonly messageId?: string;
}

/** WhatsApp's own limit for a text message. */
const MAX_TEXT_LENGTH = 65_536;

/** Sends a text to a phone number; `assertReady` is called once the arguments are valid. */
export async function sendTestMessage(
  client: WhatsAppClient,
  request: {
    readonly phoneNumber: string;
    readonly text: string;
    readonly clock: Clock;
    readonly deadlineMs: number;
  },
  assertReady: () => void,
): Promise<TestMessageResult> {
  const chatId = chatIdOf(request.phoneNumber);
  assertText(request.text);
  assertReady();
  const sending = client.sendMessage(chatId, request.text);
  const message = await withDeadline(request.clock, request.deadlineMs, 'sending the test message', sending);
  const messageId = (message as { id?: { _serialized?: unknown } } | undefined)?.id?._serialized;
  return typeof messageId === 'string' ? { chatId, messageId } : { chatId };
}

/** E.164: up to 15 digits; the shortest numbers in use with a country code have 7. */
function chatIdOf(phoneNumber: unknown): string {
  const digits = typeof phoneNumber === 'string' ? phoneNumber.replaceAll(/[\s()+.-]/g, '') : '';
  if (!/^[1-9]\d{6,14}$/.test(digits)) {
    throw new ConfigurationError(
      'phoneNumber: expected an international number of 7 to 15 digits, for example "972501234567"',
      { operation: 'sendTestMessage' },
    );
  }
  return `${digits}@c.us`;
}

function assertText(text: unknown): void {
  if (typeof text === 'string' && text.trim().length > 0 && text.length <= MAX_TEXT_LENGTH) return;
  throw new ConfigurationError(`text: expected a text of 1 to ${MAX_TEXT_LENGTH} characters`, {
    operation: 'sendTestMessage',
  });
}
