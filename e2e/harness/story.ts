/** How long a story may take on a busy machine; it needs a third of that at most. */
const STORY_MS = 180_000;

/** A test that starts real processes. */
export function story(name: string, run: () => Promise<void>): void {
  test(name, run, STORY_MS);
}
