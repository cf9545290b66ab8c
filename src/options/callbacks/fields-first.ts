/**
 * Whether a logger takes its fields before the message, as pino and bunyan do: these drop fields after the
 * message. They are recognised by their methods: `child()`, and `bindings()` (pino) or `addSerializers()`
 * (bunyan), which no logger with the message first has.
 */
export function takesFieldsFirst(logger: object): boolean {
  try {
    const has = (method: string) => typeof Reflect.get(logger, method) === 'function';
    return has('child') && (has('bindings') || has('addSerializers'));
  } catch {
    return false; // one of its getters fails
  }
}
