/** What an error of the SDK says, as far as it is known: the answer of the server, or the system error if there was none. */
export interface S3Failure {
  /** The code of S3 such as `NoSuchKey`, or the class of an error of the SDK. */
  readonly name: string;
  readonly message: string;
  /** Of the answer; `undefined` if nobody answered. */
  readonly status: number | undefined;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** `ECONNREFUSED` and the like. */
  readonly errno: string | undefined;
  /** The SDK has set its clock by that of the server because of this answer, so that the same call may succeed now. */
  readonly clockCorrected: boolean;
}

/** Reads an error that the SDK threw. Nothing about its shape is taken for granted. */
export function parseS3Failure(error: unknown): S3Failure {
  const metadata = recordOf(property(error, '$metadata'));
  const status = metadata.httpStatusCode;
  return {
    name: textOf(property(error, 'name')) ?? 'Error',
    message: textOf(property(error, 'message')) ?? String(error),
    status: typeof status === 'number' ? status : undefined,
    headers: headersOf(property(property(error, '$response'), 'headers')),
    errno: errnoIn(error),
    clockCorrected: metadata.clockSkewCorrected === true,
  };
}

/** Of a failure to connect to several addresses, the first one's. */
function errnoIn(error: unknown): string | undefined {
  const own = textOf(property(error, 'code'));
  if (own !== undefined) return own;
  const several = property(error, 'errors');
  return Array.isArray(several) ? textOf(property(several[0], 'code')) : undefined;
}

function headersOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(value)).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name.toLowerCase(), text]] : [],
    ),
  );
}

function property(value: unknown, name: string): unknown {
  return recordOf(value)[name];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
