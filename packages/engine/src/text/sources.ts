/** Who gave data, `near and far`; the remote that was asked first if nobody had to give anything. */
export function sourcesText(report: {
  readonly remote: string;
  readonly sources: readonly { readonly remote: string }[];
}): string {
  const names = report.sources.map(({ remote }) => remote);
  if (names.length < 2) return names[0] ?? report.remote;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
