/** The people of a seed: domains, accounts, aliases that forward and loop, foreign domains. */

import type { Directory } from './admd.ts';
import type { Chance } from './chance.ts';
import { MANNERS, type Manner } from './foreign.ts';
import type { Zone } from './names.ts';
import { HOUR, MINUTE } from './timeline.ts';

export interface Foreign {
  readonly domain: string;
  readonly manner: Manner;
}

export interface Town {
  readonly directories: readonly Directory[];
  readonly foreign: readonly Foreign[];
  /** Domains without a server: what the DNS says of them. */
  readonly strange: ReadonlyMap<string, Zone>;
}

/** The town of a seed. */
export function makeTown(chance: Chance): Town {
  const domains = ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'].slice(0, chance.int(3, 5));
  const foreign = chance.some(MANNERS, chance.int(2, 4)).map((manner, index) => {
    return { domain: `s${index}.example`, manner };
  });
  const accounts = new Map(
    domains.map((domain) => {
      return [domain, Array.from({ length: chance.int(1, 3) }, (_, n) => `u${n}@${domain}`)];
    }),
  );
  const everywhere = [...accounts.values()].flat();
  const outside = foreign.map(({ domain }) => `x@${domain}`);
  const directories = domains.map((domain, index) => {
    const next = domains[(index + 1) % domains.length] ?? domain;
    const third = domains[(index + 2) % domains.length] ?? domain;
    const aliases = new Map<string, readonly string[]>([
      [`info@${domain}`, [`u0@${domain}`]],
      [`away@${domain}`, [chance.pick(everywhere)]],
      [`list@${domain}`, [...chance.some(everywhere, 3), ...chance.some(outside, 1)]],
      [`out@${domain}`, [chance.pick(outside)]],
      [`stale@${domain}`, [`gone@${next}`]],
      [`self@${domain}`, [`self@${domain}`, `u0@${domain}`]],
      // A ring through all domains that never arrives anywhere.
      [`ring@${domain}`, [`ring@${next}`]],
    ]);
    // Two ways round: what is doubled at each turn has to end too.
    if (index === 0 && domains.length > 2 && chance.odds(0.1)) {
      aliases.set(`ring@${domain}`, [`ring@${next}`, `ring@${third}`]);
    }
    return { domain, accounts: accounts.get(domain) ?? [], aliases };
  });
  return { directories, foreign, strange: strangeDomains(chance, domains) };
}

/** Every address that may get mail for `address`: what it leads to, and what lies on the way. */
export function reachable(address: string, directories: readonly Directory[]): ReadonlySet<string> {
  const seen = new Set([address]);
  for (const one of seen) {
    const directory = directories.find(({ domain }) => one.endsWith(`@${domain}`));
    for (const target of directory?.aliases.get(one) ?? []) seen.add(target);
  }
  return seen;
}

export interface Resolved {
  readonly accounts: ReadonlySet<string>;
  readonly remote: ReadonlySet<string>;
}

/** What an address comes to at one domain: its mailboxes, and where mail has to be sent on. */
export function resolveAt(directory: Directory, address: string): Resolved {
  const accounts = new Set<string>();
  const remote = new Set<string>();
  const seen = new Set([address]);
  for (const one of seen) {
    if (!one.endsWith(`@${directory.domain}`)) remote.add(one);
    else if (directory.accounts.includes(one)) accounts.add(one);
    else for (const target of directory.aliases.get(one) ?? []) seen.add(target);
  }
  return { accounts, remote };
}

function strangeDomains(chance: Chance, domains: readonly string[]): Map<string, Zone> {
  const [first = 'a.test'] = domains;
  const untilMs = chance.odds(0.5) ? chance.int(10, 200) * MINUTE : 1_000 * HOUR;
  return new Map<string, Zone>([
    ['nowhere.example', { kind: 'nxdomain' }],
    ['null.example', { kind: 'null-mx' }],
    ['empty.example', { kind: 'nodata' }],
    // Its MX is a Postern that knows nothing of it: a loop for that one, a refusal for the others.
    ['stray.example', { kind: 'mx', hosts: [[10, `mx.${first}`]] }],
    ['loop.example', { kind: 'mx', hosts: [[10, 'localhost.example']] }],
    ['dark.example', { kind: 'mx', hosts: [[10, 'dark.example.net']] }],
    ['broken.example', { kind: 'mx', hosts: [[5, 'gone.example.net']], brokenUntilMs: untilMs }],
  ]);
}
