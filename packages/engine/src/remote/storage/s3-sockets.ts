/** Parts that are in memory at once, of all puts: 48 MiB. */
export const PARTS_IN_MEMORY = 6;

/** One call needs one socket, or those of its parts; listings are not bounded with calls, and a dead server must not keep the question whether it lives from being asked. */
export function socketsFor(concurrency: number): number {
  return concurrency + PARTS_IN_MEMORY + 2;
}
