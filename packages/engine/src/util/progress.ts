/** Counts files and bytes as they are done. */
export type Advance = (files: number, bytes: number) => void;

/** Begins to count bulk work whose size is known by now; the counts of `Advance` add up to exactly these totals. */
export type BeginProgress = (totalFiles: number, totalBytes: number) => Advance;
