// The main script of the page: login, QR and the phone's commands.

import { listen, post, report } from './link.js';
import { flushOutbox, loadMessages, receiveMessage } from './messages.js';
import { requireModule } from './modules.js';
import { Cmd, Conn, login, missing, Socket } from './state.js';
import * as storage from './storage.js';
import { setTraffic, writeBulk } from './traffic.js';

const HEARTBEAT_MS = 2_000;
const TIMEOUT_AFTER_MS = 3_000; // how long a lost connection is OPENING before it is TIMEOUT
const NAVIGATION_DELAY_MS = 1_000; // Socket.logout() must return to node before the page navigates
const CLIENT_PAUSE_MS = 300; // the time between the client's last subscription and its `framenavigated` handler
/** The progress events of whatsapp-web.js; versions up to 1.34.1 use the second one. */
const PROGRESS_EVENTS = ['offline_progress_update_from_bridge', 'offline_progress_update'];

let pairingCode;
let lost;

async function start() {
  const stored = await storage.readLogin().catch(() => undefined);
  if (stored === undefined) return showQr();
  const answer = await logIn(stored);
  if (answer.rejected === 'silent') return showQr();
  if (answer.rejected === 'logout') return waitForClientThenLogOut();
  await enter(stored, answer);
}

async function logIn(stored) {
  const ratchet = await storage.advanceRatchet();
  for (;;) {
    try {
      return await post('/login', { ...stored, ratchet });
    } catch {
      await pause(500); // while the server can't be reached, the state stays OPENING
    }
  }
}

/** Makes new keys and shows a QR. Like the real page, removes the rest of an earlier login, which is useless now. */
async function showQr() {
  await storage.wipe();
  login.keys = await storage.readOrCreateNoiseKeys();
  Socket.set('state', 'UNPAIRED');
  await report('qr:shown', { ref: Conn.ref });
}

async function enter({ account, deviceId }, { modes, traffic }) {
  login.account = account;
  login.deviceId = deviceId;
  await loadMessages();
  if (modes.neverReady === 'authenticated') missing.add('WAWebSyncGatingUtils');
  if (modes.hasSyncedEarly) Socket.hasSynced = true;
  Socket.set('state', 'CONNECTED');
  await report('login:accepted', { account, deviceId });
  setTraffic(traffic);
  setInterval(storage.beat, HEARTBEAT_MS);
  if (!modes.hasSyncedEarly && modes.neverReady !== 'unsynced') sync();
}

/** Waits until the client has subscribed, because it would miss the event otherwise; that case is a separate mode. */
async function sync() {
  await until(
    () => Socket.hasListener('change:hasSynced') && PROGRESS_EVENTS.some((name) => Cmd.hasListener(name)),
  );
  for (const progress of [0, 50, 100]) {
    login.progress = progress;
    for (const name of PROGRESS_EVENTS) Cmd.trigger(name);
  }
  Socket.set('hasSynced', true);
}

async function waitForClientThenLogOut() {
  Socket.set('state', 'CONNECTED');
  await until(() => Cmd.hasListener('logout'));
  await pause(CLIENT_PAUSE_MS);
  await logOut(0);
}

/** Reports the logout, deletes everything and loads again, in the order that whatsapp-web.js expects. */
async function logOut(navigateAfterMs) {
  setTraffic(undefined);
  Cmd.trigger('logout');
  await storage.wipe();
  await report('logout');
  setTimeout(() => location.replace('/?post_logout=1'), navigateAfterMs);
}

Object.assign(Socket, {
  async logout() {
    await post('/logout');
    await logOut(NAVIGATION_DELAY_MS);
  },
  async takeover() {
    Socket.set('state', 'OPENING');
    await post('/takeover');
    Socket.set('state', 'CONNECTED');
    flushOutbox();
  },
  reconnect() {
    Socket.set('state', 'OPENING');
    Socket.set('state', 'CONNECTED');
    flushOutbox();
  },
});

Cmd.refreshQR = async () => {
  pairingCode = undefined;
  if (Socket.state === 'UNPAIRED_IDLE') {
    Conn.set('ref', (await post('/new-ref')).ref);
    Socket.set('state', 'UNPAIRED');
  }
  return report('qr:shown', { ref: Conn.ref, relaunched: true });
};
login.relaunch = Cmd.refreshQR;
login.startLinking = async (phoneNumber) => {
  ({ code: pairingCode } = await post('/pairing-code', { phoneNumber }));
  return pairingCode;
};

const commands = {
  async paired({ credential, modes, traffic }) {
    // A QR is scanned only after the client has read it. A page without a client waits 5 s.
    await Promise.race([
      until(() => Conn.hasListener('change:ref') || pairingCode !== undefined),
      pause(5_000),
    ]);
    await storage.writeLogin(credential);
    await storage.advanceRatchet();
    await enter(credential, { modes, traffic });
  },
  async ref({ ref }) {
    Conn.set('ref', ref);
    await report('qr:shown', { ref });
  },
  expire: () => Socket.set('state', 'UNPAIRED_IDLE'),
  state({ state }) {
    Socket.set('state', state);
    if (state === 'CONNECTED') flushOutbox();
  },
  message: receiveMessage,
  logout: () => logOut(100), // the delay lets the answer be sent first
  traffic: ({ traffic }) => setTraffic(traffic),
  bulk: ({ megabytes, largeValues }) => writeBulk(megabytes, largeValues),
};

listen({
  handle: (command) => commands[command.type](command),
  onLost() {
    if (login.account === undefined || lost !== undefined || Socket.state !== 'CONNECTED') return;
    Socket.set('state', 'OPENING');
    lost = setTimeout(() => Socket.set('state', 'TIMEOUT'), TIMEOUT_AFTER_MS);
  },
  async onBack() {
    if (lost === undefined) return;
    clearTimeout(lost);
    lost = undefined;
    const stored = await storage.readLogin();
    const { rejected } = stored === undefined ? { rejected: 'logout' } : await logIn(stored);
    if (rejected) return logOut(0);
    Socket.set('state', 'CONNECTED');
    flushOutbox();
  },
});

/** For tests: the data of the page, read from the database and not from memory. */
window.simulator = {
  async state() {
    const messages = await storage.readMessages();
    return {
      account: (await storage.readLogin())?.account,
      deviceId: (await storage.readLogin())?.deviceId,
      socketState: Socket.state,
      ratchet: await storage.readRatchet(),
      messageCount: messages.length,
      messages: messages.map(({ id, from, to, body }) => ({ id, from, to, body })),
      trafficCount: await storage.countTraffic(),
    };
  },
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition) {
  while (!condition()) await pause(25);
}

window.require = requireModule;
start();
until(() => Cmd.hasListener('logout')).then(() => report('client:listening')); // the last step of inject()
window.Debug = { VERSION: '2.3000.1017054665' }; // set last, because the client starts when it exists
