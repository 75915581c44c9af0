/** The proof that a connection is protected by TLS, with how far its peer was verified. */

export interface TlsFacts {
  /** `TLSv1.3`, `TLSv1.2`. */
  readonly protocol: string;
  readonly cipher: string;
  /** The name the client asked for (SNI), as sent, or what we asked for as a client. */
  readonly serverName: string | undefined;
  /** As a client: whether the certificate was verified, and why not. As a server: `not-asked`. */
  readonly peer:
    | { readonly kind: 'not-asked' }
    | { readonly kind: 'verified'; readonly subject: string }
    | { readonly kind: 'unverified'; readonly reason: string };
  /** As a client: the peer's certificates in DER, its own first, each followed by its issuer. */
  readonly peerCertificates?: readonly Uint8Array[];
  /** Octets for SCRAM-PLUS (RFC 9266 `tls-exporter`; RFC 5929 `tls-server-end-point`). */
  readonly channelBinding: {
    readonly exporter: Uint8Array | undefined;
    readonly serverEndPoint: Uint8Array | undefined;
  };
}

/** Made only by a network that finished a handshake (a law test reads who calls `established`). */
export class Secure {
  readonly #facts: TlsFacts;

  private constructor(facts: TlsFacts) {
    this.#facts = facts;
  }

  static established(facts: TlsFacts): Secure {
    return new Secure(facts);
  }

  get facts(): TlsFacts {
    return this.#facts;
  }
}
