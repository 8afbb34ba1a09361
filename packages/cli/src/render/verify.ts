import {
  type Finding,
  formatBytes,
  formatCount,
  formatDuration,
  plural,
  SluiceError,
  type VerifyReport,
  visible,
} from '@sluice/engine';
import { shortenDigests } from './digest.js';

/** One line per finding, then what was looked at and the verdict. */
export function verifyText({ findings, checked, ms }: VerifyReport): string {
  const lines = findings.map(
    ({ where, name, problem, repaired }) =>
      `${where}  ${shortenDigests(visible(name))}: ${visible(problem.message)}${repaired ? ' (repaired)' : ''}`,
  );
  // Without --deep no bytes are read.
  const read = checked.bytes === 0 ? '' : ` (${formatBytes(checked.bytes)})`;
  const looked = `checked ${plural(checked.objects, 'object')} and ${plural(checked.files, 'file')}${read}`;
  return [...lines, `${looked} in ${formatDuration(ms)}: ${verdict(findings)}`].join('\n');
}

/** `ERR_VERIFY_FAILED` with the report in its details, unless everything is sound or repaired. `undefined` then. */
export function verifyFailure(report: VerifyReport, asked: Asked): SluiceError | undefined {
  const open = report.findings.filter(({ repaired }) => !repaired).length;
  if (open === 0) return undefined;
  return new SluiceError('ERR_VERIFY_FAILED', `${plural(open, 'finding')} ${open === 1 ? 'is' : 'are'} not repaired`, {
    hint: hintFor(asked),
    details: { ...report },
  });
}

/** What was checked, and whether it was to be repaired. */
interface Asked {
  readonly repaired?: boolean;
  readonly remote?: boolean;
  readonly locks?: boolean;
}

function hintFor({ repaired, remote, locks }: Asked): string {
  if (locks === true) {
    return 'Bring the files back (`sluice checkout --rev REV`) and commit the data again, or declare another mutability.';
  }
  if (repaired !== true) return `Run \`sluice verify${remote === true ? ' --remote' : ''} --deep --repair\`.`;
  return remote === true
    ? 'The store has no good copy: fetch it from another remote or run the stages again that make it, then `sluice push --verify`.'
    : 'No good copy was found here or on a remote: run the stages again that make this data (`sluice status` names them).';
}

function verdict(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'nothing is wrong';
  return `${plural(findings.length, 'finding')}, ${formatCount(findings.filter(({ repaired }) => repaired).length)} repaired`;
}
