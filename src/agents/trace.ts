/** The trace field that every accepted message gets: Received (RFC 5321 4.4). */

import { type Address, formatAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { normalIpv6 } from '#base/domain.ts';
import { invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import { formatDate } from '#message/date.ts';
import { type FieldText, acceptField } from '#message/field-text.ts';

export interface TraceClient {
  readonly helo: string;
  readonly address: string;
  /** A name of the address that leads back to it; what is not proved is not written. */
  readonly name?: string | undefined;
}

export interface TraceFacts {
  /** undefined for submitted mail: a user's address and name are nobody's business. */
  readonly client: TraceClient | undefined;
  readonly hostname: Domain;
  readonly id: QueueId;
  readonly atMs: number;
  readonly secure: Secure | undefined;
  readonly protocol: 'smtp' | 'esmtp' | 'lmtp';
  readonly authenticated: boolean;
  readonly smtpUtf8: boolean;
  /** Named only when it is the one recipient: `for` must not tell of others. */
  readonly recipient: Address | undefined;
}

const HOST = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/;

/** The whole field with its CRLF, folded; only checked values go in. */
export function formatReceived(facts: TraceFacts): FieldText {
  const { client, secure } = facts;
  const from =
    client === undefined
      ? `from ${facts.hostname} (authenticated submission)`
      : `from ${heloDomain(client.helo)} (${tcpInfo(client)})`;
  const tls = secure === undefined ? '' : ` (${secure.facts.protocol} ${secure.facts.cipher})`;
  const recipient = facts.recipient === undefined ? '' : ` for <${formatAddress(facts.recipient)}>`;
  const field = acceptField(
    `Received: ${from}\r\n\tby ${facts.hostname} with ${protocolName(facts)}${tls}\r\n` +
      `\tid ${facts.id}${recipient};\r\n\t${formatDate(facts.atMs)}`,
  );
  invariant(field !== undefined, 'only checked values go into Received');
  return field;
}

/** The registered names (RFC 3848, RFC 6531 4.3). */
function protocolName(facts: TraceFacts): string {
  const suffix = `${facts.secure === undefined ? '' : 'S'}${facts.authenticated ? 'A' : ''}`;
  if (facts.protocol === 'smtp') return 'SMTP';
  const plain = facts.protocol === 'lmtp' ? 'LMTP' : 'ESMTP';
  const name = facts.smtpUtf8 ? `UTF8${facts.protocol === 'lmtp' ? 'LMTP' : 'SMTP'}` : plain;
  return `${name}${suffix}`;
}

/** A HELO name as it may stand in a field: what is no name becomes a comment-safe word. */
function heloDomain(helo: string): string {
  return /^[A-Za-z0-9_.:[\]-]{1,255}$/.test(helo) ? helo : 'unknown';
}

/** RFC 5321 4.4 `TCP-info`. */
function tcpInfo({ address, name }: TraceClient): string {
  const literal = addressLiteral(address);
  return name !== undefined && HOST.test(name) ? `${name} ${literal}` : literal;
}

function addressLiteral(address: string): string {
  return normalIpv6(address) === undefined ? `[${address}]` : `[IPv6:${address}]`;
}
