/** Domain names as the trust checks compare them: labels, parents, what can be asked of the DNS. */

import { parseDomain } from '#base/domain.ts';

const NAME_OCTETS = 253;
const LABEL_OCTETS = 63;

/** Lower case, without the trailing dot: the form in which names are asked for and compared. */
export function plainName(name: string): string {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare.toLowerCase();
}

/** U-labels as A-labels where that works (RFC 8616 4); other text stays as it is. */
export function asciiName(name: string): string {
  return /^[\x00-\x7f]*$/.test(name) ? name : (parseDomain(name) ?? name);
}

/**
 * Whether the DNS can be asked for a plain name (RFC 1035 2.3.4): labels of 1 to 63 octets, 253
 * in all. Any printable octet may stand in a label: SPF's macros put local parts there.
 */
export function isQueryName(name: string): boolean {
  if (name.length === 0 || name.length > NAME_OCTETS || /[^\x20-\x7e]/.test(name)) return false;
  return name.split('.').every((label) => label.length > 0 && label.length <= LABEL_OCTETS);
}

/** Whether a plain name is `parent` or lies below it. */
export function isWithin(name: string, parent: string): boolean {
  return name === parent || name.endsWith(`.${parent}`);
}

/** How many labels a plain name has. */
export function labelCount(name: string): number {
  return name.split('.').length;
}

/** The last `count` labels of a plain name; all of them if there are not so many. */
export function lastLabels(name: string, count: number): string {
  return name.split('.').slice(-count).join('.');
}

/** The name above, or undefined for a name of one label. */
export function parentName(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot === -1 ? undefined : name.slice(dot + 1);
}
