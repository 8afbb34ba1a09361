/** A JSON object whose entries are not checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The token with which a list or object takes in what it would replace (Nx 23 and up). */
const SPREAD = '...';

/** Fields of a target that are replaced as a whole when two declarations are laid over each other. */
const WHOLE_FIELDS = ['executor', 'command', 'defaultConfiguration', 'dependsOn', 'cache', 'outputs'];

/** Whether a value is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Lays a target over another declaration of it, as Nx does: fields replace fields, options and configurations are merged option by
 * option, `"..."` stands for what was there. When both name an executor and not the same one, nothing of `base` remains.
 */
export function mergeTarget(target: JsonObject, base: JsonObject | undefined): JsonObject {
  const from = base !== undefined && isCompatible(target, base) ? base : {};
  const merged = new Map<string, unknown>();
  const baseFirst = keysBeforeSpread(target);
  for (const key of WHOLE_FIELDS) {
    const value = baseFirst.has(key) && key in from ? from[key] : mergeValue(target[key], from[key]);
    if (value !== undefined) merged.set(key, value);
  }
  const options = mergeOptions(target.options, from.options);
  if (options !== undefined) merged.set('options', options);
  const configurations = mergeConfigurations(target.configurations, from.configurations);
  if (configurations !== undefined) merged.set('configurations', configurations);
  return Object.fromEntries(merged);
}

/** Whether two declarations can be of one target: at most one executor is named. */
export function isCompatible(a: JsonObject, b: JsonObject): boolean {
  return !a.executor || !b.executor || a.executor === b.executor;
}

/** Lays options, or one configuration, over others; one level deep. */
function mergeOptions(options: unknown, base: unknown): JsonObject | undefined {
  const over = isObject(options) ? options : undefined;
  const under = isObject(base) ? base : undefined;
  if (over === undefined || under === undefined) return withoutSpread(over ?? under);
  if (over[SPREAD] === true) return spreadObject(over, under);
  const keys = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, mergeValue(own(over, key), own(under, key))]));
}

function mergeConfigurations(configurations: unknown, base: unknown): JsonObject | undefined {
  const over = isObject(configurations) ? configurations : undefined;
  const under = isObject(base) ? base : undefined;
  if (over === undefined || under === undefined) return withoutSpread(over ?? under);
  const baseFirst = keysBeforeSpread(over);
  const names = new Set([...Object.keys(under), ...Object.keys(over)]);
  names.delete(SPREAD);
  return Object.fromEntries(
    [...names].map((name) => {
      const [newer, older] = [own(over, name), own(under, name)];
      return [name, baseFirst.has(name) && older !== undefined ? older : (mergeOptions(newer, older) ?? {})];
    }),
  );
}

function mergeValue(value: unknown, base: unknown): unknown {
  if (value === undefined) return base;
  if (Array.isArray(value)) {
    return value.flatMap((element: unknown) => (element === SPREAD ? (Array.isArray(base) ? base : []) : [element]));
  }
  if (isObject(value) && value[SPREAD] === true) return spreadObject(value, isObject(base) ? base : {});
  return value;
}

/** Keys in front of the token give way to the base, keys behind it win. */
function spreadObject(value: JsonObject, base: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (key === SPREAD ? Object.entries(base) : [[key, entry]])),
  );
}

/** With nothing to take in, the token stands for nothing, in the object and in the lists that are its values. */
function withoutSpread(value: JsonObject | undefined): JsonObject | undefined {
  if (value === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== SPREAD)
      .map(([key, entry]) => [key, mergeValue(entry, undefined)]),
  );
}

function keysBeforeSpread(value: JsonObject): Set<string> {
  const keys = Object.keys(value);
  return new Set(keys.slice(0, Math.max(0, keys.indexOf(SPREAD))));
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
