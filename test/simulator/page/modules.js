// The results of `window.require(name)`: only the parts of WhatsApp Web that whatsapp-web.js 1.30 to 1.34 needs.

import { sendMessage } from './messages.js';
import { Collection, Contact, Model, MsgKey, Wid } from './models.js';
import { STUBS } from './older-clients.js';
import { Chats, Cmd, Conn, findOrCreateChat, login, Msg, missing, Socket } from './state.js';
import { base64 } from './storage.js';

const me = () => (login.account === undefined ? undefined : new Wid(login.account));
const nothing = () => undefined;
const no = () => false;
const find = async (id) => new Contact({ id: Wid.of(id) });

const MODULES = {
  // --- inject(): qr, code, authenticated
  WAWebSocketModel: { Socket },
  WAWebCmd: { Cmd },
  WAWebConnModel: { Conn },
  WAWebOfflineHandler: { OfflineMessageHandler: { getOfflineDeliveryProgress: () => login.progress } },
  WAWebAltDeviceLinkingApi: {
    setPairingType: nothing,
    initializeAltDeviceLinking: async () => undefined,
    startAltLinkingFlow: (phoneNumber) => login.startLinking(phoneNumber),
    initializeQRLinking: async () => undefined,
  },
  WABase64: { encodeB64: base64 },
  WAWebCompanionRegClientUtils: { DEVICE_PLATFORM: '1' },
  WAWebAdvSignatureApi: { getADVSecretKey: () => login.keys.advSecret }, // used up to 1.34.6
  WAWebUserPrefsInfoStore: {
    waNoiseInfo: { get: async () => ({ staticKeyPair: { pubKey: login.keys.noise } }) },
  },
  WAWebSignalStoreApi: {
    waSignalStore: {
      getRegistrationInfo: async () => ({ identityKeyPair: { pubKey: login.keys.identity } }),
    },
  },
  WAWebUserPrefsMultiDevice: { getADVSecretKey: () => login.keys.advSecret },
  WAWebMiscBrowserUtils: { info: () => ({ os: 'Linux', name: 'Chrome' }) },
  WAWebLaunchSocketUtils: { refreshQR: () => login.relaunch() },

  // --- attachEventListeners(): ready
  WAWebUserPrefsMeUser: {
    getMaybeMePnUser: me,
    getMaybeMeLidUser: nothing,
    getMeUser: me, // the other two are used up to 1.34.1
    getMaybeMeUser: me,
  },
  WAWebCollections: {
    Msg,
    Chat: Chats,
    Contact: { find },
    GroupMetadata: { update: nothing },
    Blocklist: { get: nothing },
    Call: new Collection(), // this and the next are used up to 1.34.6
    PollVote: new Collection(),
  },
  WAWebSyncGatingUtils: {},
  WAWebCallCollection: Object.assign(new Model(), { calls: new Map() }),
  WAWebAddonReactionTableMode: { reactionTableMode: { bulkUpsert: nothing } },
  WAWebAddonPollVoteTableMode: { pollVoteTableMode: { bulkUpsert: nothing } },
  WAWebBackendJobsCommon: { mediaTypeFromProtobuf: nothing },
  WAWebE2EProtoUtils: { typeAttributeFromProtobuf: nothing },

  // --- sendMessage(), reply(), getChat(), getContact(), getNumberId()
  WAWebWidFactory: { createWid: Wid.of, createWidFromWidLike: Wid.of, asUserWidOrThrow: Wid.of },
  WAWebFindChatAction: { findOrCreateLatestChat: async (id) => ({ chat: await findOrCreateChat(id) }) },
  WAWebStreamModel: { Stream: { markAvailable: nothing, markUnavailable: nothing } },
  // Versions up to 1.34.1 pass the chat itself.
  WAWebUpdateUnreadChatAction: { sendSeen: async (seen) => (seen.chat ?? seen).set('unreadCount', 0) },
  WAWebChatGetters: { getIsNewsletter: no, getIsBroadcast: (chat) => chat.id.server === 'broadcast' },
  WALinkify: { findLink: nothing, findLinks: () => [] },
  WAWebLinkPreviewChatAction: { getLinkPreview: async () => undefined },
  WAWebMsgKey: MsgKey,
  WAWebMsgReply: { canReplyMsg: () => true },
  WAWebGetEphemeralFieldsMsgActionsUtils: { getEphemeralFields: () => ({}) },
  WAWebSendMsgChatAction: { addAndSendMsgToChat: sendMessage },
  WAWebChatLoadMessages: { loadEarlierMsgs: async () => [] },
  WAWebPresenceChatAction: { sendPresenceAvailable: nothing, sendPresenceUnavailable: nothing },
  WAWebQueryExistsJob: { queryWidExists: async (wid) => ({ wid: { ...wid } }) },
  WAWebApiContact: { getAlternateUserWid: nothing },
  WAWebContactGetters: {
    getIsMe: (contact) => contact.id._serialized === login.account,
    getIsUser: (contact) => contact.id.isUser(),
    getIsGroup: (contact) => contact.id.isGroup(),
    getIsWAContact: () => true,
    getUserid: (contact) => contact.id.user,
    getVerifiedName: nothing,
    getVerifiedLevel: nothing,
    getStatusMute: no,
    getName: nothing,
    getShortName: nothing,
    getPushname: (contact) => contact.id.user,
    getIsEnterprise: no,
  },
  WAWebFrontendContactGetters: { getIsMyContact: no },
};

export function requireModule(name) {
  const module = MODULES[name] ?? STUBS[name];
  if (module === undefined || missing.has(name)) throw new Error(`Requiring unknown module "${name}"`);
  return module;
}
