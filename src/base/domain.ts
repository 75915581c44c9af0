/** Domain names and address literals in the one form we compare: A-labels, lower case. */

import { domainToASCII, domainToUnicode } from 'node:url';
import type { Domain } from './brand.ts';

const DOMAIN_OCTETS = 255;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const ASCII = /^[\x21-\x7e]+$/;

/**
 * Text to a Domain, or undefined if it is none (RFC 5321 4.1.2, RFC 5890 2.3.2.1). U-labels
 * become A-labels, one trailing dot goes, underscores are let through (hosts really have them),
 * a name that looks like an IPv4 address is no domain.
 */
export function parseDomain(text: string): Domain | undefined {
  if (text.length === 0 || text.length > DOMAIN_OCTETS + 1) return undefined;
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  const ascii = ASCII.test(bare) ? bare.toLowerCase() : toALabels(bare);
  if (ascii === undefined || ascii.length > DOMAIN_OCTETS) return undefined;
  const labels = ascii.split('.');
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined;
  if (ascii.includes('xn--') && !labels.every(soundALabel)) return undefined;
  return ascii as Domain;
}

/** `[192.0.2.1]`, `[IPv6:2001:db8::1]` to its normal form, or undefined (RFC 5321 4.1.3). */
export function parseAddressLiteral(text: string): Domain | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  const inner = text.slice(1, -1);
  const v6 = /^ipv6:([0-9a-f:.]+)$/i.exec(inner);
  if (v6?.[1] !== undefined) {
    const address = normalIpv6(v6[1]);
    return address === undefined ? undefined : (`[IPv6:${address}]` as Domain);
  }
  return isIpv4(inner) ? (`[${inner}]` as Domain) : undefined;
}

/** Whether a Domain is an address literal. */
export function isAddressLiteral(domain: Domain): boolean {
  return domain.startsWith('[');
}

/** The IP address inside an address literal. */
export function literalAddress(domain: Domain): string | undefined {
  if (!isAddressLiteral(domain)) return undefined;
  return domain.startsWith('[IPv6:') ? domain.slice(6, -1) : domain.slice(1, -1);
}

/** A Domain as people write it, U-labels where there are any: for display only. */
export function displayDomain(domain: Domain): string {
  return domain.includes('xn--') ? domainToUnicode(domain) || domain : domain;
}

/** Dotted decimal with four numbers, no leading zeros (RFC 5321 4.1.3 `IPv4-address-literal`). */
export function isIpv4(text: string): boolean {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((n) => /^(0|[1-9]\d{0,2})$/.test(n) && +n <= 255);
}

/** An IPv6 address in RFC 5952 form, or undefined. */
export function normalIpv6(text: string): string | undefined {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(':')) return undefined;
  try {
    return new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}

/** Non-ASCII names by UTS 46, or undefined; what the URL parser would cut away is refused. */
function toALabels(text: string): string | undefined {
  if (/[\x00-\x20\x7f#%/:<>?@[\\\]^|]/.test(text)) return undefined;
  const ascii = domainToASCII(text);
  return ascii === '' ? undefined : ascii.toLowerCase();
}

function soundALabel(label: string): boolean {
  if (!label.startsWith('xn--')) return true;
  const decoded = domainToUnicode(label);
  return decoded !== label && domainToASCII(decoded) === label;
}
