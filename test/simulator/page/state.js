// The live models of the page, shared by its parts.

import { Chat, Collection, Message, Model, Wid } from './models.js';

export const Socket = Object.assign(new Model(), { state: 'OPENING', hasSynced: false });
export const Cmd = new Model();
export const Conn = Object.assign(new Model(), {
  ref: window.simulatorConfig.ref,
  platform: 'android',
  serialize: () => ({ ref: Conn.ref, platform: Conn.platform, pushname: 'Simulated bot' }),
});
export const Msg = Object.assign(new Collection(), {
  modelClass: Message,
  getMessagesById: async (ids) => ({ messages: ids.map((id) => Msg.get(id)).filter(Boolean) }),
});
export const Chats = Object.assign(new Collection(), {
  find: (id) => findOrCreateChat(id), // whatsapp-web.js up to 1.34.1 calls this to open a chat
});

/** The page's data about its login; filled by main.js. */
export const login = {
  account: undefined,
  keys: undefined,
  progress: 0,
  startLinking: undefined,
  relaunch: undefined,
};

/** Names of modules that are missing at the moment, as after an update of the page. */
export const missing = new Set();

export async function findOrCreateChat(id) {
  const wid = Wid.of(id);
  return Chats.get(wid) ?? Chats.add(new Chat({ id: wid, t: 0 }));
}
