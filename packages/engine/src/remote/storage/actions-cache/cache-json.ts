/** Reads answers of services. Nothing about their shape is taken for granted. */

/** The value of JSON text; `undefined` if it is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}

/** The text of the first of these fields that has one, else `''`. */
export function fieldOf(value: unknown, ...names: readonly string[]): string {
  for (const name of names) {
    const found = propertyOf(value, name);
    if (typeof found === 'string') return found;
  }
  return '';
}

/** Whether a field is `true`. */
export function flagOf(value: unknown, name: string): boolean {
  return propertyOf(value, name) === true;
}

/** What a field holds; `undefined` if there is none. */
export function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** A URL that can be asked; `undefined` for any other text. */
export function urlOf(text: string): string | undefined {
  return /^https?:\/\//.test(text) && URL.canParse(text) ? text : undefined;
}
