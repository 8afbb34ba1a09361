import { type DoctorFinding, type DoctorReport, formatDuration, plural, SluiceError, visible } from '@sluice/engine';

/** Two lines per finding, what it is and what to do, then the verdict. */
export function doctorText({ findings, stages, ms }: DoctorReport): string {
  const lines = findings.flatMap(({ level, check, subject, message, fix, fixed }) => [
    `${level.padEnd(7)}  ${check}  ${visible(subject)}: ${visible(message)}`,
    `         ${fixed ? 'done: ' : ''}${visible(fix)}`,
  ]);
  return [...lines, `looked at ${plural(stages, 'stage')} in ${formatDuration(ms)}: ${verdict(findings)}`].join('\n');
}

/** `ERR_DOCTOR_FAILED` with the report in its details, unless all problems are repaired. `undefined` then. Notes do not count. */
export function doctorFailure(report: DoctorReport, wasFixing: boolean): SluiceError | undefined {
  const open = report.findings.filter(isOpenProblem);
  if (open.length === 0) return undefined;
  return new SluiceError(
    'ERR_DOCTOR_FAILED',
    `${plural(open.length, 'problem')} ${open.length === 1 ? 'is' : 'are'} not repaired`,
    {
      hint:
        !wasFixing && open.some(({ fixable }) => fixable)
          ? 'Run `sluice doctor --fix`, which does what is safe.'
          : 'Each finding says what to do; it is for you to decide.',
      details: { ...report },
    },
  );
}

function verdict(findings: readonly DoctorFinding[]): string {
  if (findings.length === 0) return 'nothing is wrong';
  const notes = findings.filter(({ level, fixed }) => level === 'note' && !fixed).length;
  const repaired = findings.filter(({ fixed }) => fixed).length;
  const counts = [plural(findings.filter(isOpenProblem).length, 'problem'), plural(notes, 'note')];
  return [...counts, ...(repaired === 0 ? [] : [`${repaired} repaired`])].join(', ');
}

function isOpenProblem({ level, fixed }: DoctorFinding): boolean {
  return level === 'problem' && !fixed;
}
