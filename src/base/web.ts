/** The web as a client sees it: one request, one answer, never a redirect followed. */

/** Sends requests; made by the network, or by a test. */
export interface Web {
  /**
   * Sends one and reads the whole answer. Over https the certificate is verified, always. Fails,
   * temporarily, with `name-not-found`, `unreachable`, `timeout`, `tls-unverified`, `too-large`,
   * `bad-answer`; a status that says no is an answer.
   */
  send(request: WebRequest): Promise<WebResponse>;
}

export interface WebRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** http or https, without user and password. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For all of it, from the look-up of the name to the last octet. */
  readonly timeoutMs: number;
  /** Octets of the answer's body; one more fails. */
  readonly maxBytes: number;
}

export interface WebResponse {
  readonly status: number;
  /** By name in lower case; repeated ones joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}
