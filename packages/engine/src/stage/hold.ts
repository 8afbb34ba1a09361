import { digestOf, hexOf } from '../model/digest.js';
import type { Held } from '../store/mutex.js';
import { isMoving, moveOf, recoverMove } from '../workspace/moves.js';
import type { StageContext } from './context.js';
import { type CommandGroup, endGroup } from './run-command.js';
import { type Stage, stageName } from './stage.js';

/** A stage that this process holds. */
export interface HeldStage {
  /** Tells others which process groups they have to end if this process dies. */
  running(groups: readonly CommandGroup[]): void;
  release(): void;
}

/**
 * Takes the lease of a stage in this workspace: who has it may change the stage's outs. A process that died with it is cleared away first: its command is
 * ended, and outs that it had moved aside go back. Throws `ERR_HELD` if another process has it and `wait` is false.
 */
export async function holdStage(context: StageContext, stage: Stage, wait: boolean): Promise<HeldStage> {
  const { workspace, emit, signal } = context;
  const { files } = workspace.store;
  const name = stageName(stage.id);
  const held = await workspace.store.acquire(leaseOf(context, stage), {
    wait,
    what: name,
    signal,
    onWait: () => emit({ type: 'waiting', stage: name, what: 'another process that runs this stage' }),
    onDead: async (note) => {
      for (const group of parseNote(note)) await endGroup(files, group);
      emit({ type: 'note', message: `took ${name} over from a process that died` });
    },
  });
  try {
    recoverOuts(context, stage);
  } catch (error) {
    held.release();
    throw error;
  }
  return heldStage(held);
}

/** Nobody holds the stage, or died while holding it, and nobody left one of its outs half replaced. */
export function isAtRest(context: StageContext, stage: Stage): boolean {
  const { store, root } = context.workspace;
  return store.isFree(leaseOf(context, stage)) && !stage.outs.some(({ path }) => isMoving(root, path));
}

function leaseOf({ workspace }: StageContext, { id }: Stage): string {
  return `stage-${hexOf(digestOf(`${workspace.root}\n${stageName(id)}`)).slice(0, 32)}`;
}

function heldStage(held: Held): HeldStage {
  return {
    running: (groups) => held.note(groups.map(({ pid, start }) => `group ${pid} ${start}`).join(' ')),
    release: () => held.release(),
  };
}

function recoverOuts({ workspace, emit }: StageContext, stage: Stage): void {
  for (const { path } of stage.outs) {
    const done = recoverMove(moveOf(workspace.root, path));
    if (done === 'put back') emit({ type: 'note', message: `put ${path} back as it was before an interrupted run` });
    if (done === 'finished') emit({ type: 'note', message: `finished an interrupted checkout of ${path}` });
  }
}

/** The note may be torn, or be of another version: then there is nothing to end. */
function parseNote(note: string): CommandGroup[] {
  return [...note.matchAll(/(?<=^| )group ([1-9][0-9]{0,9}) ([0-9]+)(?= |$)/g)].map(([, pid, start = '']) => {
    return { pid: Number(pid), start };
  });
}
