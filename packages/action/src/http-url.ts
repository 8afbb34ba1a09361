/** An address that is one, without a slash at its end; `undefined` for anything else that stands in a variable. */
export function httpUrl(text: string | undefined): string | undefined {
  return text !== undefined && URL.canParse(text) && /^https?:\/\/[^\s()<>]+$/.test(text)
    ? text.replace(/\/+$/, '')
    : undefined;
}
