// Stores messages in the database, sends them to the server, and triggers the client's `message` and `message_create`.

import { post } from './link.js';
import { Message, MsgKey, Wid } from './models.js';
import { Chats, findOrCreateChat, login, Msg, Socket } from './state.js';
import { advanceRatchet, readMessages, writeMessage } from './storage.js';

const ACK_SERVER = 1;
const RETRY_MS = 1_000;

/** Messages that the server has not confirmed; kept while there is no connection, as in the real page. */
const outbox = new Map();

/** Loads messages of earlier runs without an event, so that they can be found again. */
export async function loadMessages() {
  for (const record of await readMessages()) {
    const direction = record.fromMe ? 'out' : 'in';
    addToChat(record, await findOrCreateChat(record.fromMe ? record.to : record.from), direction, false);
  }
}

export async function receiveMessage({ id, from, body }) {
  const record = { id, from, to: login.account, body, t: now(), fromMe: false };
  const isNew = !(await readMessages()).some((message) => message.id === id);
  if (!isNew) return;
  await writeMessage(record);
  await advanceRatchet();
  const chat = await findOrCreateChat(from);
  addToChat(record, chat, 'in', true);
  chat.set('unreadCount', chat.unreadCount + 1);
}

/** `addAndSendMsgToChat`: returns one promise for adding the message and one for its arrival at the server. */
export function sendMessage(chat, draft) {
  const record = {
    id: draft.id.id,
    from: login.account,
    to: chat.id._serialized,
    body: draft.body,
    t: draft.t,
    fromMe: true,
  };
  const model = addToChat(record, chat, 'out', true, draft);
  const stored = writeMessage(record);
  const sent = new Promise((resolve) => outbox.set(record.id, { record, model, resolve }));
  stored.then(flushOutbox);
  return [stored, sent];
}

/** Sends the waiting messages. A message without an answer stays and is sent again later. */
export async function flushOutbox() {
  for (const [id, entry] of outbox) {
    if (Socket.state !== 'CONNECTED' || entry.underway) continue;
    entry.underway = true;
    try {
      const { refused } = await post('/send', { ...entry.record, ratchet: await advanceRatchet() });
      outbox.delete(id);
      if (!refused) entry.model.set('ack', ACK_SERVER);
      entry.resolve({ messageSendResult: refused ? 'ERROR_UNKNOWN' : 'OK' });
    } catch {
      entry.underway = false;
      setTimeout(flushOutbox, RETRY_MS);
    }
  }
}

function addToChat(record, chat, selfDir, isNewMsg, draft = {}) {
  const from = new Wid(record.from);
  const to = new Wid(record.to);
  const id = draft.id ?? new MsgKey({ from, to, id: record.id, selfDir });
  const { body, t } = record;
  const model = new Message({
    id,
    from,
    to,
    body,
    t,
    type: 'chat',
    ack: isNewMsg && selfDir === 'out' ? 0 : 1,
    isNewMsg,
  });
  chat.msgs.add(model);
  chat.t = t;
  if (!Chats.get(chat.id)) Chats.add(chat);
  return Msg.add(model);
}

const now = () => Math.floor(Date.now() / 1000);
