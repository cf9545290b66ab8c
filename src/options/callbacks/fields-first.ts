/**
 * Whether a logger takes its fields before the message, as pino and bunyan do: they drop what stands after it. Told by its
 * shape: a `child()`, and `bindings()` (pino) or `addSerializers()` (bunyan), which no logger of the other order has.
 */
export function takesFieldsFirst(logger: object): boolean {
  try {
    const has = (method: string) => typeof Reflect.get(logger, method) === 'function';
    return has('child') && (has('bindings') || has('addSerializers'));
  } catch {
    return false; // a getter of it fails
  }
}
