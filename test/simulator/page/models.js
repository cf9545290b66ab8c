// The features of WhatsApp Web's models that whatsapp-web.js uses: events by name, ids with methods, collections.

export class Model {
  #listeners = new Map();

  constructor(attributes = {}) {
    Object.assign(this, attributes);
  }

  /** @param {string} names one or more names, separated by spaces */
  on(names, listener) {
    for (const name of names.split(' ')) {
      this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    }
  }

  off(names, listener) {
    for (const name of names.split(' ')) {
      const others = (this.#listeners.get(name) ?? []).filter((one) => one !== listener);
      this.#listeners.set(name, others);
    }
  }

  once(names, listener) {
    const onceOnly = (...details) => {
      this.off(names, onceOnly);
      listener(...details);
    };
    this.on(names, onceOnly);
  }

  hasListener(name) {
    return (this.#listeners.get(name) ?? []).length > 0;
  }

  trigger(name, ...details) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(...details);
      } catch (error) {
        console.error(error);
      }
    }
  }

  /** Changes one attribute and emits `change:<key>` (model, value, former value), then `change`. */
  set(key, value) {
    const before = this[key];
    if (before === value) return;
    this[key] = value;
    for (const target of [this, this.collection].filter(Boolean)) {
      target.trigger(`change:${key}`, this, value, before);
      target.trigger('change', this);
    }
  }
}

export class Collection extends Model {
  #models = new Map();

  add(model) {
    // Not enumerable, because models are sent to node as JSON, which must not contain the collection.
    Object.defineProperty(model, 'collection', { value: this, configurable: true });
    this.#models.set(model.id._serialized, model);
    this.trigger('add', model);
    return model;
  }

  get(id) {
    return this.#models.get(typeof id === 'string' ? id : id?._serialized);
  }

  getModelsArray() {
    return [...this.#models.values()];
  }
}

/** An account, group or chat id. Its methods are on the prototype, because ids are also sent to node by value. */
export class Wid {
  constructor(serialized) {
    const [user = '', server = 'c.us'] = serialized.split('@');
    this.server = server;
    this.user = user;
    this._serialized = `${user}@${server}`;
  }

  isUser() {
    return this.server === 'c.us' || this.isLid();
  }

  isLid() {
    return this.server === 'lid';
  }

  isGroup() {
    return this.server === 'g.us';
  }

  isStatus() {
    return this._serialized === 'status@broadcast';
  }

  toString() {
    return this._serialized;
  }

  toJid() {
    return this._serialized;
  }

  static of(value) {
    return value instanceof Wid ? value : new Wid(typeof value === 'string' ? value : value._serialized);
  }
}

export class MsgKey {
  constructor({ from, to, id, participant, selfDir }) {
    this.fromMe = selfDir === 'out';
    this.remote = this.fromMe ? to : from;
    this.id = id;
    this._serialized = [String(this.fromMe), this.remote._serialized, id, participant?._serialized]
      .filter(Boolean)
      .join('_');
  }

  static async newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(9));
    return `3EB0${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('')}`;
  }
}

export class Message extends Model {
  serialize() {
    const { id, from, to, body, t, type, ack, isNewMsg } = this;
    return { id: { ...id }, from: { ...from }, to: { ...to }, body, t, type, ack, isNewMsg };
  }

  unsafe() {
    return this;
  }

  msgContextInfo() {
    return { quotedMsgId: this.id._serialized };
  }
}

export class Chat extends Model {
  unreadCount = 0;
  archive = false;
  formattedTitle = this.id.user;
  mute = { expiration: 0 };
  msgs = new Collection();

  serialize() {
    const { id, t, unreadCount, archive, formattedTitle } = this;
    return { id: { ...id }, t, unreadCount, archive, formattedTitle };
  }

  toJSON() {
    return { ...this.serialize(), id: this.id._serialized };
  }
}

export class Contact extends Model {
  serialize() {
    return { id: { ...this.id }, type: 'in' };
  }
}
