import type { Host } from './host.js';
import { type Mode, runMain } from './run-main.js';
import { runPlan } from './run-plan.js';
import { runPost } from './run-post.js';

const STEPS = { main: runMain, post: runPost, plan: runPlan };

/** Runs one step in this process and ends it: connections that are kept open would keep it alive. */
export async function runStep(step: 'main' | 'post' | 'plan', mode: Mode): Promise<void> {
  const host: Host = {
    env: process.env,
    cwd: process.env.GITHUB_WORKSPACE ?? process.cwd(),
    write: (text) => process.stdout.write(text),
    signals: process,
  };
  const exitCode = await STEPS[step](host, mode);
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(exitCode);
}
