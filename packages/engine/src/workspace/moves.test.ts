import fs from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../model/digest.js';
import { parseRelPath } from '../model/path.js';
import { realFiles } from '../store/files.js';
import { listNames } from '../store/lease.js';
import { type DiskTree, diskTree, readTree, writeTree } from '../testing/disk-tree.js';
import { useTempDir } from '../testing/temp-dir.js';
import {
  abandonMove,
  applyIn,
  beginApply,
  beginSwap,
  finish,
  type Move,
  moveAside,
  moveOf,
  putBack,
  recoverMove,
  stagedIndexPath,
  swapIn,
} from './moves.js';

const temp = useTempDir();
const OUT = parseRelPath('p/out');

const OLD = diskTree({ a: 'old', 'd/b': 'old', 'mine.tmp': 'not of Sluice' });
const NEW = diskTree({ a: 'new', c: 'new' });
const NEW_WITH_MINE = diskTree({ a: 'new', c: 'new', 'mine.tmp': 'not of Sluice' });

let move: Move;
beforeEach(() => {
  fs.mkdirSync(temp('p'));
  fs.writeFileSync(temp('.sluiceignore'), '*.tmp\n');
  move = moveOf(temp(), OUT);
});

function place(tree: DiskTree): void {
  writeTree(move.target, tree);
}

function now(): DiskTree | undefined {
  return fs.existsSync(move.target) ? readTree(move.target) : undefined;
}

/** What a process that died left is cleared away once, and then there is nothing to do. */
function recover(): string {
  const done = recoverMove(move);
  expect(listNames(realFiles, temp('.sluice/moves'))).toEqual([]);
  const after = now();
  expect(recoverMove(move)).toBe('nothing');
  expect(now()).toEqual(after);
  return done;
}

/** Renames the folder as the last step of a move does, and dies. */
function dieWhenDone(): void {
  fs.renameSync(move.dir, `${move.dir}.done-0123456789ab`);
}

function rename(from: string, to: string): void {
  fs.renameSync(from, to);
}

describe('a command makes the out', () => {
  test('moves aside and puts back', () => {
    place(OLD);
    moveAside(move);
    expect(now()).toBeUndefined();
    place(NEW);
    putBack(move);
    expect(now()).toEqual(OLD);
    expect(recover()).toBe('nothing');
  });

  test('keeps the result, and what is ignored', () => {
    place(OLD);
    moveAside(move);
    place(NEW);
    finish(move);
    expect(now()).toEqual(NEW_WITH_MINE);
    putBack(move);
    expect(now()).toEqual(NEW_WITH_MINE);
    expect(recover()).toBe('nothing');
  });

  test('where nothing was, nothing is after a failure', () => {
    moveAside(move);
    place(NEW);
    putBack(move);
    expect(now()).toBeUndefined();
    expect(recover()).toBe('nothing');
  });

  test.each<[string, () => void, DiskTree | undefined, string]>([
    ['before anything was moved', () => fs.mkdirSync(move.dir, { recursive: true }), OLD, 'dropped'],
    [
      'before its plan was written',
      () => {
        moveAside(move);
        fs.rmSync(join(move.dir, 'plan.json'));
        fs.writeFileSync(join(move.dir, 'plan.tmp'), '{"do"');
      },
      OLD,
      'put back',
    ],
    ['before the command began', () => moveAside(move), OLD, 'put back'],
    [
      'while the command ran',
      () => {
        moveAside(move);
        place(diskTree({ a: 'half' }));
      },
      OLD,
      'put back',
    ],
    [
      'while the old one was put back',
      () => {
        moveAside(move);
        rename(join(move.dir, 'old'), move.target);
      },
      OLD,
      'put back',
    ],
    [
      'while the ignored was carried over',
      () => {
        moveAside(move);
        place(NEW);
        dieWhenDone();
      },
      NEW_WITH_MINE,
      'nothing',
    ],
    [
      'after it was carried over',
      () => {
        moveAside(move);
        place(NEW);
        dieWhenDone();
        rename(join(`${move.dir}.done-0123456789ab`, 'old', 'mine.tmp'), join(move.target, 'mine.tmp'));
      },
      NEW_WITH_MINE,
      'nothing',
    ],
  ])('died %s', (_, die, wanted, done) => {
    place(OLD);
    die();
    expect(recover()).toBe(done);
    expect(now()).toEqual(wanted);
  });

  test('died while the command ran, and there was nothing before', () => {
    moveAside(move);
    place(diskTree({ a: 'half' }));
    expect(recover()).toBe('put back');
    expect(now()).toBeUndefined();
  });

  test('works for a single file', () => {
    fs.writeFileSync(move.target, 'old');
    moveAside(move);
    fs.writeFileSync(move.target, 'new');
    finish(move);
    expect(fs.readFileSync(move.target, 'utf8')).toBe('new');
  });
});

describe('an out is swapped', () => {
  function fill(tree: DiskTree): void {
    writeTree(beginSwap(move), tree);
    fs.writeFileSync(stagedIndexPath(move), 'index');
  }

  test('puts the new one in place, with its index', () => {
    place(OLD);
    fill(NEW);
    swapIn(move);
    expect(now()).toEqual(NEW_WITH_MINE);
    expect(fs.readFileSync(move.index, 'utf8')).toBe('index');
    expect(recover()).toBe('nothing');
  });

  test('is given up without a trace', () => {
    place(OLD);
    fill(NEW);
    abandonMove(move);
    expect(now()).toEqual(OLD);
    expect(recover()).toBe('nothing');
  });

  test.each<[string, () => void, DiskTree, string]>([
    ['before it was filled', () => beginSwap(move), OLD, 'dropped'],
    ['while it was filled', () => writeTree(beginSwap(move), diskTree({ a: 'n' })), OLD, 'dropped'],
    ['when it was full', () => fill(NEW), OLD, 'dropped'],
    [
      'between the two',
      () => {
        fill(NEW);
        rename(move.target, join(move.dir, 'old'));
      },
      NEW_WITH_MINE,
      'finished',
    ],
    [
      'when the new one was in place',
      () => {
        fill(NEW);
        rename(move.target, join(move.dir, 'old'));
        rename(join(move.dir, 'new'), move.target);
      },
      NEW_WITH_MINE,
      'dropped',
    ],
    [
      'while the ignored was carried over',
      () => {
        fill(NEW);
        rename(move.target, join(move.dir, 'old'));
        rename(join(move.dir, 'new'), move.target);
        dieWhenDone();
      },
      NEW_WITH_MINE,
      'nothing',
    ],
    [
      'between the two, and then somebody made something',
      () => {
        fill(NEW);
        rename(move.target, join(move.dir, 'old'));
        place(diskTree({ made: 'by hand' }));
      },
      diskTree({ made: 'by hand', 'mine.tmp': 'not of Sluice' }),
      'dropped',
    ],
  ])('died %s', (_, die, wanted, done) => {
    place(OLD);
    die();
    expect(recover()).toBe(done);
    expect(now()).toEqual(wanted);
    const isNew = wanted === NEW_WITH_MINE && done !== 'nothing';
    expect(fs.existsSync(move.index)).toBe(isNew);
  });

  test.each<[string, () => void, DiskTree | undefined]>([
    ['while it was filled', () => writeTree(beginSwap(move), diskTree({ a: 'n' })), undefined],
    [
      'when it was in place',
      () => {
        fill(NEW);
        rename(join(move.dir, 'new'), move.target);
      },
      NEW,
    ],
  ])('where nothing was, died %s', (_, die, wanted) => {
    die();
    recover();
    expect(now()).toEqual(wanted);
    expect(fs.existsSync(move.index)).toBe(wanted !== undefined);
  });
});

describe('a few files change', () => {
  const STEPS = {
    addDirectories: ['e', 'e/f'],
    put: ['a', 'e/f/g'],
    removeFiles: ['d/b'],
    removeDirectories: ['d'],
  };
  const AFTER = diskTree({ a: 'new a', 'e/f/g': 'new g', 'mine.tmp': 'not of Sluice' });

  function stage(): void {
    const files = beginApply(move);
    fs.writeFileSync(join(files, '0'), 'new a');
    fs.writeFileSync(join(files, '1'), 'new g');
    fs.writeFileSync(stagedIndexPath(move), 'index');
  }

  /** The steps in their order; the first `count` of them were done. */
  const EACH: (() => void)[] = [
    () => fs.unlinkSync(join(move.target, 'd/b')),
    () => fs.rmdirSync(join(move.target, 'd')),
    () => fs.mkdirSync(join(move.target, 'e')),
    () => fs.mkdirSync(join(move.target, 'e/f')),
    () => rename(join(move.dir, 'files/0'), join(move.target, 'a')),
    () => rename(join(move.dir, 'files/1'), join(move.target, 'e/f/g')),
    () => {
      fs.mkdirSync(join(move.index, '..'), { recursive: true });
      rename(stagedIndexPath(move), move.index);
    },
  ];

  test('does them', () => {
    place(OLD);
    stage();
    applyIn(move, STEPS);
    expect(now()).toEqual(AFTER);
    expect(fs.readFileSync(move.index, 'utf8')).toBe('index');
    expect(recover()).toBe('nothing');
  });

  test('died before the plan', () => {
    place(OLD);
    stage();
    expect(recover()).toBe('dropped');
    expect(now()).toEqual(OLD);
    expect(fs.existsSync(move.index)).toBe(false);
  });

  test.each(EACH.map((_, count) => count).concat(EACH.length))('died after %i steps', (count) => {
    place(OLD);
    stage();
    fs.writeFileSync(join(move.dir, 'plan.json'), JSON.stringify({ do: 'apply', ...STEPS }));
    for (const step of EACH.slice(0, count)) step();
    expect(recover()).toBe('finished');
    expect(now()).toEqual(AFTER);
    expect(fs.readFileSync(move.index, 'utf8')).toBe('index');
  });

  test('a directory with ignored files stays', () => {
    place(diskTree({ a: 'a', 'd/b': 'b', 'd/x.tmp': 'mine' }));
    stage();
    applyIn(move, STEPS);
    expect(now()).toEqual(diskTree({ a: 'new a', 'd/x.tmp': 'mine', 'e/f/g': 'new g' }));
  });

  test('makes the out where nothing is', () => {
    const files = beginApply(move);
    fs.writeFileSync(join(files, '0'), 'new a');
    applyIn(move, { addDirectories: [], put: ['a'], removeFiles: [], removeDirectories: [] });
    expect(now()).toEqual(diskTree({ a: 'new a' }));
  });

  test.each([['../../x'], ['/etc/x'], [''], [5]])('a plan that leads out of the out is no plan: %j', (path) => {
    place(OLD);
    stage();
    fs.writeFileSync(join(move.dir, 'plan.json'), JSON.stringify({ do: 'apply', ...STEPS, removeFiles: [path] }));
    expect(recover()).toBe('dropped');
    expect(now()).toEqual(OLD);
  });

  test.each(['', '{', '[]', 'null', '{"do":"else"}'])('a torn plan is no plan: %j', (text) => {
    place(OLD);
    stage();
    fs.writeFileSync(join(move.dir, 'plan.json'), text);
    expect(recover()).toBe('dropped');
    expect(now()).toEqual(OLD);
  });
});

test('outs do not meet', () => {
  const other = moveOf(temp(), parseRelPath('p/other'));
  place(OLD);
  writeTree(other.target, NEW);
  moveAside(move);
  moveAside(other);
  expect(recoverMove(other)).toBe('put back');
  expect(now()).toBeUndefined();
  expect(recover()).toBe('put back');
  expect(digestOf(OUT)).not.toBe(digestOf('p/other'));
  expect(readTree(other.target)).toEqual(NEW);
});
