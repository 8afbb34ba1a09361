/** What is asked of `fetch` here. */
export interface FetchInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  /** Redirects are only followed for a request without a body. */
  readonly redirect: 'follow' | 'manual' | 'error';
  readonly signal: AbortSignal;
}

/** `fetch`, as far as it is used here. */
export type Fetch = (url: URL | string, init: FetchInit) => Promise<Response>;
