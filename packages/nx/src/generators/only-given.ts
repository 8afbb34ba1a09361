/** Options without those that have no value: a key that nobody gave is not written. */
export function onlyGiven(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== ''));
}
