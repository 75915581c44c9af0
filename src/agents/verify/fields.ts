/** What verification found, as header fields: Authentication-Results, then Received-SPF. */

import type { Domain } from '#base/brand.ts';
import type { FieldText } from '#message/field-text.ts';
import { formatAuthenticationResults } from '#trust/results/authentication-results.ts';
import {
  arcMethod,
  dkimMethods,
  dmarcMethod,
  iprevMethod,
  spfMethod,
} from '#trust/results/methods.ts';
import { formatReceivedSpf } from '#trust/results/received-spf.ts';
import type { Findings } from './evidence.ts';

export interface ClientTrace {
  readonly hostname: Domain;
  readonly address: string;
  readonly helo: string;
  /** Without brackets, empty for `<>`. */
  readonly envelopeFrom: string;
}

/** The fields to put above our Received, top to bottom (RFC 8601 4, RFC 7208 9.1). */
export function resultFields(found: Findings, client: ClientTrace): readonly FieldText[] {
  const { spf, identity, iprev, dkim, arc, dmarc } = found;
  const { hostname, address, helo, envelopeFrom } = client;
  const methods = [
    dmarcMethod(dmarc),
    spfMethod(spf, identity),
    ...dkimMethods(dkim.results),
    ...(arc.status === 'none' ? [] : [arcMethod(arc, address)]),
    iprevMethod(iprev, address),
  ];
  return [
    formatAuthenticationResults(hostname, methods),
    formatReceivedSpf(spf, {
      receiver: hostname,
      clientIp: address,
      envelopeFrom,
      helo,
      identity,
    }),
  ];
}

/** The value of an Authentication-Results field on one line: what an ARC set repeats. */
export function resultsText(field: FieldText): string {
  return field
    .slice(field.indexOf(':') + 1)
    .replace(/\r\n[ \t]*/g, ' ')
    .trim();
}
