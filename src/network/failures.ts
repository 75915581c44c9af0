/** What the system calls errors, as Failures with the code words that base/world.ts promises. */

import { Failure } from '#base/failure.ts';

/** Why a port could not be listened on; the operator's to mend, so permanent. */
export function listenFailure(error: unknown, where: string): Failure {
  const code = systemCode(error);
  if (code === 'EADDRINUSE') {
    return Failure.permanent('port-in-use', `${where} is in use by another program`, error);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const cure = 'ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)';
    return Failure.permanent('not-permitted', `${where} may not be opened: ${cure}`, error);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') {
    const text = `${where}: this machine has no such address`;
    return Failure.permanent('no-such-address', text, error);
  }
  return Failure.permanent('not-listening', `${where}: ${words(error)}`, error);
}

/** Why a connection could not be made; always temporary: the other side may come back. */
export function connectFailure(error: unknown, where: string): Failure {
  const code = systemCode(error);
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') {
    return Failure.temporary('connection-refused', `${where} refused the connection`, error);
  }
  if (code === 'ETIMEDOUT') {
    return Failure.temporary('timeout', `${where} did not answer in time`, error);
  }
  return Failure.temporary('unreachable', `${where} cannot be reached: ${words(error)}`, error);
}

/** Why an open stream broke. */
export function streamFailure(error: unknown): Failure {
  const code = systemCode(error);
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return Failure.temporary('connection-reset', 'the peer broke the connection', error);
  }
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return Failure.temporary('timeout', 'the peer is no longer reachable', error);
  }
  const tls = code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS');
  return Failure.temporary(tls ? 'tls' : 'connection-broken', words(error), error);
}

/** Why a TLS handshake failed. */
export function tlsFailure(error: unknown): Failure {
  const code = systemCode(error);
  const text = code === 'ECONNRESET' ? 'the peer closed during the handshake' : words(error);
  return Failure.temporary('tls-handshake', `TLS handshake failed: ${text}`, error);
}

/** The system's word for an error (`ECONNREFUSED`), or an empty string. */
export function systemCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : '';
  return reason === '' ? error.message : reason;
}
