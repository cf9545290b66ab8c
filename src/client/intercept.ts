/** Calls `onSet` whenever `target[property]` is given an object. */
export function intercept<Value extends object>(
  target: object,
  property: 'pupBrowser' | 'pupPage',
  onSet: (value: Value) => void,
): void {
  let current: unknown = (target as Record<string, unknown>)[property];
  Object.defineProperty(target, property, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (value: unknown) => {
      const isNew = value !== current;
      current = value;
      if (isNew && typeof value === 'object' && value !== null) onSet(value as Value);
    },
  });
}
