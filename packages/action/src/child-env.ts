/** What lets a process act as this job: write cache entries, ask for an identity, speak to the runner. */
const OF_THE_JOB = [
  /^ACTIONS_/,
  /^INPUT_/,
  /^STATE_/,
  /^GITHUB_(?:ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)$/,
  /^SLUICE_(?:BROKER|SIGNING_KEY)/,
];

/** Keys for the cloud. The remote is reached with them by the action alone. */
const OF_THE_CLOUD = [
  /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|WEB_IDENTITY_TOKEN_FILE|ROLE_ARN|ROLE_SESSION_NAME)$/,
  /^AWS_CONTAINER_/,
];

/** Names that a workflow cannot pass on to stages, whatever it says. */
export function isNeverPassed(name: string): boolean {
  return OF_THE_JOB.some((pattern) => pattern.test(name));
}

/** The environment of Nx and of all that it starts: that of the step without its secrets, but with what the workflow says that stages may have. */
export function childEnv(
  env: Readonly<Record<string, string | undefined>>,
  passed: readonly string[],
): Record<string, string> {
  const isKept = (name: string): boolean =>
    !isNeverPassed(name) && (passed.includes(name) || !OF_THE_CLOUD.some((pattern) => pattern.test(name)));
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || !isKept(name) ? [] : [[name, value]])),
  );
}
