import { asSluiceError, type Engine, errorText, type RefUpdate, toErrorWire } from '@sluice/engine';
import type { Call, Declare, Report } from '../command.js';
import { examples } from '../command.js';

/** `sluice hook` */
export const declareHook: Declare = (program, execute) => {
  program
    .command('hook <name> [args...]', { hidden: true })
    .description(
      "Do what a hook of git is for: post-checkout and post-merge make data follow git, pre-push sees that data is on a remote. The hooks of sluice init --hooks call it with git's arguments.",
    )
    .addHelpText('after', examples('sluice hook post-checkout "$@"', 'sluice hook pre-push "$@"'))
    .action(async (name: string, args: string[]) =>
      execute(async (engine, call) => {
        switch (name) {
          case 'post-checkout':
            // 0: git has checked out single files, and whoever names locks can name stages too.
            return args[2] === '0' ? NOTHING : await follow(engine, { from: args[0], to: args[1] });
          case 'post-merge':
            return await follow(engine, args[0] === '1' ? {} : { from: 'ORIG_HEAD', to: 'HEAD' });
          case 'pre-push':
            return await prePush(engine, args[0] ?? '', call);
          default:
            // A hook of a later version, or one that somebody set up by hand, must not keep git from working.
            return NOTHING;
        }
      }),
    );
};

const NOTHING: Report = { json: {}, text: '' };

/** Git has done its work by now, so what goes wrong here is told and is no failure of git's. */
async function follow(engine: Engine, options: Parameters<Engine['followGit']>[0]): Promise<Report> {
  try {
    const report = await engine.followGit(options);
    const { workspace } = report;
    const { checkoutText } = await import('../render/checkout.js');
    return { json: report, text: workspace.written + workspace.removed === 0 ? '' : `sluice: ${checkoutText(report)}` };
  } catch (error) {
    const wire = toErrorWire(asSluiceError(error));
    return { json: { error: wire }, text: `sluice: the data did not follow git: ${errorText(wire)}` };
  }
}

async function prePush(engine: Engine, remote: string, call: Call): Promise<Report> {
  const report = await engine.prePush({ remote, updates: parseUpdates(await call.readInput()) });
  if (report.pushed === null) return { json: report, text: '' };
  const { pushText } = await import('../render/push.js');
  return { json: report, text: `sluice: ${pushText(report.pushed, false)}` };
}

/** Lines of `<local ref> <local oid> <remote ref> <remote oid>`. */
function parseUpdates(text: string): RefUpdate[] {
  return text.split('\n').flatMap((line) => {
    const [, local, , remote] = line.split(' ');
    return local === undefined || remote === undefined ? [] : [{ local, remote }];
  });
}
