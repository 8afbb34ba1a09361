/** An option that may be given several times, or once with commas. */
export type ListOption = string | readonly string[] | undefined;

/** The elements of such an option; commas inside braces belong to a pattern. `undefined` for none, so that the key is left out. */
export function listOption(value: ListOption): string[] | undefined {
  const elements = (typeof value === 'string' ? splitAtCommas(value) : (value ?? [])).map((element) => element.trim());
  const given = elements.filter((element) => element !== '');
  return given.length === 0 ? undefined : given;
}

function splitAtCommas(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === ',' && depth <= 0) parts.push('');
    else parts.push(`${parts.pop()}${character}`);
  }
  return parts;
}
