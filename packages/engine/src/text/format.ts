const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const DAY_MS = 86_400_000;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `679.0 KiB`, `310.0 MiB`, `12 B`: one decimal, but whole bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be shown as 1024.0 is 1.0 of the next unit.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${formatCount(value)} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

/** `33.2 MiB/s`; nothing is said of work that took no time to speak of. */
export function formatRate(bytes: number, ms: number): string | undefined {
  return ms < 1 || bytes === 0 ? undefined : `${formatBytes(Math.round((bytes / ms) * 1000))}/s`;
}

/** `1,204` */
export function formatCount(count: number): string {
  const rounded = Math.round(count);
  if (rounded > -1000 && rounded < 1000) return String(rounded);
  return String(rounded).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1,204 files`, `1 file` */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : `${noun}s`}`;
}

/** `85 ms`, `0.8 s`, `12 s`, `3 min 20 s` */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `14 days`, and what is not whole days as a duration. */
export function formatAge(ms: number): string {
  return ms % DAY_MS === 0 ? plural(ms / DAY_MS, 'day') : formatDuration(ms);
}

/** Controls, line separators, and what makes a terminal show text in another order than it has. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of which nothing is hidden, as most is. */
const PLAIN = /^[\x20-\x7e]*$/;

/** A name or value on one line of a terminal: a file name may hold a newline, or what a terminal takes for a command. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return ESCAPES[character] ?? `\\u${code}`;
  });
}
