/** The TXT record at `_smtp._tls`: where a domain wants its TLS reports (RFC 8460 3). */

import { parseAddress } from '#base/address.ts';

export type ReportPlace =
  | { readonly kind: 'mail'; readonly address: string }
  | { readonly kind: 'https'; readonly url: string };

const PLACES = 5;
const URI_CHARACTERS = 500;

/** The name to ask for. */
export function tlsRptName(domain: string): string {
  return `_smtp._tls.${domain}`;
}

/**
 * The places of the one record that begins with `v=TLSRPTv1;`; none when there are several
 * (RFC 8460 3). Addresses that are none and schemes that nobody knows are passed over.
 */
export function readTlsRptRecords(texts: readonly string[]): readonly ReportPlace[] {
  const ours = texts.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text));
  const [text] = ours;
  if (text === undefined || ours.length > 1) return [];
  // Each once, however often the record names it.
  const places = new Map<string, ReportPlace>();
  for (const field of text.split(';').slice(1)) {
    const [name, ...rest] = field.split('=');
    if (name?.trim() !== 'rua') continue;
    for (const uri of rest.join('=').split(',')) {
      const place = placeOf(uri.trim());
      if (place === undefined || places.size >= PLACES) continue;
      const key = place.kind === 'mail' ? place.address.toLowerCase() : place.url;
      if (!places.has(key)) places.set(key, place);
    }
  }
  return [...places.values()];
}

/** Commas, exclamation marks and semicolons come percent-encoded (RFC 8460 3). */
function placeOf(uri: string): ReportPlace | undefined {
  if (uri.length > URI_CHARACTERS) return undefined;
  if (/^mailto:/i.test(uri)) {
    const address = decoded(uri.slice('mailto:'.length).split('?')[0] ?? '');
    const known = address !== undefined && /^[\x21-\x7e]+$/.test(address);
    return known && parseAddress(address) !== undefined ? { kind: 'mail', address } : undefined;
  }
  const url = URL.parse(uri);
  const fine = url?.protocol === 'https:' && url.username + url.password === '';
  return fine ? { kind: 'https', url: url.href } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
