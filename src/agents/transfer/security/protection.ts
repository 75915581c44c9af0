/** What a connection to one host must be like before mail goes over it. */

import type { Secure } from '#base/secure.ts';
import type { Envelope } from '#store/queue.ts';
import type { TlsFailure, TlsReportPolicy } from '#trust/tls-rpt/words.ts';
import type { Smarthost } from '../relayhost.ts';

/** Says why the peer is not who it must be; undefined: it is. */
export type PeerCheck = (secure: Secure) => TlsFailure | undefined;

export interface Protection {
  readonly kind: 'protection';
  /** `never`: in clear. `try`: TLS where it works, else in clear. `must`: or not at all. */
  readonly mode: 'never' | 'try' | 'must';
  /** Asked after the handshake, before anything is said inside. */
  readonly check: PeerCheck | undefined;
  /** The same, but only to tell of: nothing depends on it. */
  readonly observe: PeerCheck | undefined;
  /** The handshake itself insists on a good certificate. */
  readonly verify?: boolean;
  /** The name for SNI, where it is not the host's own. */
  readonly serverName: string | undefined;
  /**
   * For the ledger: which rule, and why. Sessions of equal words are shared between messages, so
   * whatever decides whether a peer is good must be in them, but for its host.
   */
  readonly because: string;
  readonly policy: TlsReportPolicy;
  /** What was wrong before anybody connected, although the mail may go. */
  readonly trouble: TlsFailure | undefined;
}

/** The host is passed over. */
export interface Unfit {
  readonly kind: 'unfit';
  /** `failed` only where no later try can help: REQUIRETLS (RFC 8689 4.2.1). */
  readonly outcome: 'failed' | 'deferred';
  readonly status: string;
  readonly reason: string;
  readonly policy: TlsReportPolicy;
  readonly failure: TlsFailure;
}

/** That of a next hop which the configuration names: DNS had no say, so no policy does. */
export function configured(
  smarthost: Smarthost,
  domain: string,
  envelope: Pick<Envelope, 'tls' | 'reversePath'>,
): Protection {
  const required = envelope.tls === 'required' && envelope.reversePath !== '';
  const usual = smarthost.credentials === undefined ? 'opportunistic' : 'require';
  const wanted = smarthost.tls ?? usual;
  const modes = {
    never: 'never',
    opportunistic: 'try',
    require: 'must',
    implicit: 'must',
  } as const;
  const mode = required ? 'must' : modes[wanted];
  return {
    kind: 'protection',
    mode,
    verify: mode === 'must' && (required || (smarthost.verify ?? true)),
    check: undefined,
    observe: undefined,
    serverName: undefined,
    because: required ? 'REQUIRETLS; a configured next hop' : 'a configured next hop',
    policy: { type: 'no-policy-found', text: [], domain, mx: [] },
    trouble: undefined,
  };
}

/** Whether a certificate is good by the rules of the web, for one of `names`. */
export function webPki(options: {
  readonly fits: (secure: Secure) => boolean;
  readonly names: string;
}): PeerCheck {
  return (secure) => {
    const { peer } = secure.facts;
    // The name that the handshake compared with may be another one than ours.
    const named = peer.kind === 'unverified' && peer.reason === 'ERR_TLS_CERT_ALTNAME_INVALID';
    if (peer.kind === 'verified' || named) {
      if (options.fits(secure)) return undefined;
      const why = `the certificate is not for ${options.names}`;
      return { kind: 'certificate-host-mismatch', why };
    }
    const reason = peer.kind === 'unverified' ? peer.reason : 'no certificate was asked for';
    const kind = reason === 'CERT_HAS_EXPIRED' ? 'certificate-expired' : 'certificate-not-trusted';
    return { kind, why: `the certificate is not good: ${reason}` };
  };
}
