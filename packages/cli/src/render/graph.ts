/** A commit to be drawn, with those that come right before it. */
export interface GraphNode {
  readonly commit: string;
  readonly parents: readonly string[];
}

/**
 * Draws commits as `git log --graph` does, newest first, children before parents, with the lines of text of each beside it. Parents that are not among the commits lead
 * out of the picture.
 */
export function graphLines<T extends GraphNode>(nodes: readonly T[], textOf: (node: T) => readonly string[]): string[] {
  /** The commit that each lane leads to. */
  const lanes: string[] = [];
  const lines: string[] = [];
  for (const node of nodes) {
    for (
      let at = lanes.lastIndexOf(node.commit);
      at > lanes.indexOf(node.commit);
      at = lanes.lastIndexOf(node.commit)
    ) {
      lines.push(joinRow(lanes, lanes.indexOf(node.commit), at));
      lanes.splice(at, 1);
    }
    if (!lanes.includes(node.commit)) lanes.push(node.commit);
    const lane = lanes.indexOf(node.commit);
    const rows = [lanes.map((_, i) => (i === lane ? '*' : '|')).join(' ')];
    const [first, ...others] = node.parents;
    for (const [i, parent] of others.entries()) {
      rows.push(forkRow(lanes, lane + i));
      lanes.splice(lane + i + 1, 0, parent);
    }
    if (first !== undefined) lanes[lane] = first;
    else {
      if (lane < lanes.length - 1) rows.push(endRow(lanes, lane));
      lanes.splice(lane, 1);
    }
    const text = textOf(node);
    const plain = lanes.map(() => '|').join(' ');
    const width = Math.max(plain.length, ...rows.map(({ length }) => length));
    for (let i = 0; i < Math.max(rows.length, text.length); i++) {
      lines.push(`${(rows[i] ?? plain).padEnd(width)} ${text[i] ?? ''}`.trimEnd());
    }
  }
  return lines;
}

/** Lane `at` joins lane `into` on its left; the lanes on its right move left. */
function joinRow(lanes: readonly string[], into: number, at: number): string {
  const row = blank(lanes.length);
  for (let i = 0; i < lanes.length; i++) {
    if (i < at) row[2 * i] = '|';
    else row[2 * i - 1] = '/';
  }
  for (let column = 2 * into + 1; column < 2 * at - 1; column += 2) row[column] = '_';
  return row.join('').trimEnd();
}

/** A new lane comes out of lane `at`; the lanes on its right move right. */
function forkRow(lanes: readonly string[], at: number): string {
  const row = blank(lanes.length + 1);
  for (let i = 0; i < lanes.length; i++) {
    if (i <= at) row[2 * i] = '|';
    if (i >= at) row[2 * i + 1] = '\\';
  }
  return row.join('').trimEnd();
}

/** Lane `at` has ended; the lanes on its right move left. */
function endRow(lanes: readonly string[], at: number): string {
  const row = blank(lanes.length);
  for (let i = 0; i < lanes.length; i++) {
    if (i < at) row[2 * i] = '|';
    if (i > at) row[2 * i - 1] = '/';
  }
  return row.join('').trimEnd();
}

function blank(lanes: number): string[] {
  return new Array<string>(2 * lanes).fill(' ');
}
