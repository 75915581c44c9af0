/** What relay forms are made of: names of the server, its domains, and a domain that is not its. */

export interface Place {
  /** The domain that is not the server's: nobody's, or our canary's. */
  readonly foreign: string;
  /** A domain of nobody, never used before: what the foreign one is compared with. */
  readonly other: string;
  /** The local part, unlike any that exists. */
  readonly token: string;
  /** The server's address. */
  readonly address: string;
  /** As the server calls itself in greeting and EHLO. */
  readonly server: string;
  /** Domains whose mail it takes, the likeliest first; may be empty. */
  readonly domains: readonly string[];
  /** A mailbox that is there, where one is known. */
  readonly user: string | undefined;
  /** Our name in EHLO. */
  readonly helo: string;
}

/** An address literal (RFC 5321 4.1.3). */
export function literal(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}

/** Each domain with its parents (of at least two labels) and a name below it: RFC has no such rule, servers do. */
export function around(domains: readonly string[], token: string): string[] {
  const all = new Set<string>();
  for (const domain of domains) {
    all.add(domain);
    all.add(`${token}.${domain}`);
    const labels = domain.split('.');
    if (labels.length > 2) all.add(labels.slice(1).join('.'));
  }
  return [...all].slice(0, 12);
}
