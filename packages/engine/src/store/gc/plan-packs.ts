/** What the objects of one pack are worth, in stored bytes. */
export interface PackWorth {
  readonly name: string;
  /** Blobs and trees never share a pack. */
  readonly content: 'blobs' | 'trees';
  readonly bytes: number;
  /** Bytes that have their home here. */
  readonly liveBytes: number;
  readonly live: number;
  /** Objects that nothing names. */
  readonly dead: number;
  /** Live objects that have their home elsewhere. */
  readonly redundant: number;
  /** Holds a damaged copy of an object of which there is no other. */
  readonly pinned: boolean;
}

/** What happens to the packs that are not left as they are; by name. */
export interface PackPlan {
  /** Nothing in them is live: they go whole. */
  readonly drop: readonly string[];
  /** Their live objects are copied to new packs, then they go. */
  readonly rewrite: readonly string[];
  /** They hold dead objects and stay for a later run. */
  readonly left: readonly string[];
}

/** A pack below this size is small. */
const SMALL_PACK_BYTES = 4 * 1024 * 1024;

/** More small packs than this are merged; each costs a look-up and an open file. */
const SMALL_PACKS = 8;

/**
 * Decides about packs. Those with garbage are rewritten in the order of what a freed byte costs, until `budgetBytes` of live bytes
 * are copied. Trees do not count towards the budget: they are small, and a dead tree had better not outlive what it names: a later writer
 * would find it and have to write what is missing below.
 */
export function planPacks(packs: readonly PackWorth[], budgetBytes: number): PackPlan {
  const drop = packs.filter((pack) => isGarbage(pack)).map((pack) => pack.name);
  const rewrite: string[] = [];
  const left: string[] = [];
  let copied = 0;
  const take = (pack: PackWorth): boolean => {
    if (pack.content === 'blobs' && copied + pack.liveBytes > budgetBytes) return false;
    if (pack.content === 'blobs') copied += pack.liveBytes;
    rewrite.push(pack.name);
    return true;
  };
  const partly = packs.filter((pack) => !isGarbage(pack) && pack.dead + pack.redundant > 0);
  for (const pack of partly.sort((a, b) => costPerFreedByte(a) - costPerFreedByte(b))) {
    if (pack.pinned || !take(pack)) left.push(pack.name);
  }
  for (const content of ['blobs', 'trees'] as const) {
    const small = packs.filter(
      (pack) =>
        pack.content === content &&
        pack.bytes < SMALL_PACK_BYTES &&
        pack.dead + pack.redundant === 0 &&
        !isGarbage(pack),
    );
    if (small.length > SMALL_PACKS) for (const pack of small) take(pack);
  }
  return { drop, rewrite, left };
}

function isGarbage(pack: PackWorth): boolean {
  return pack.live === 0 && pack.redundant === 0 && !pack.pinned;
}

function costPerFreedByte(pack: PackWorth): number {
  return pack.liveBytes / Math.max(1, pack.bytes - pack.liveBytes);
}
