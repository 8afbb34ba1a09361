/** `tree sha256:1a2b3c4d5e6f…` for each digest in a text. */
export function shortenDigests(text: string): string {
  return text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}
