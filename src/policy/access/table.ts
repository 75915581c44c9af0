/** An access table: who is on it, looked up the way Postfix' access(5) does. */

import type { Address } from '#base/address.ts';
import { splitDetail } from '../addresses/subaddress.ts';
import { type IpAddress, inNetwork, parseIp } from '#base/ip.ts';
import type { AccessAction } from './action.ts';

/** A line that matched: its key as written, for the ledger. */
export interface Found {
  readonly key: string;
  readonly action: AccessAction;
}

export interface NetworkRow extends Found {
  readonly first: IpAddress;
  readonly bits: number;
}

/** Keys in lower case to what they say; networks in the order of the file. */
export class AccessTable {
  /** Whether a client's name could be on it: else nobody needs to ask the DNS for one. */
  readonly hasNames: boolean;
  readonly #names: ReadonlyMap<string, AccessAction>;
  readonly #networks: readonly NetworkRow[];

  constructor(names: ReadonlyMap<string, AccessAction>, networks: readonly NetworkRow[]) {
    this.#names = names;
    this.#networks = networks;
    this.hasNames = [...names.keys()].some((key) => /[a-z]/.test(key) && !key.includes(':'));
  }

  /** A name, then the domains above it; `.example.org` means those below alone. */
  domain(name: string): Found | undefined {
    let rest = name.toLowerCase().replace(/\.$/, '');
    const whole = this.#name(rest);
    if (whole !== undefined) return whole;
    for (let dot = rest.indexOf('.'); dot !== -1; dot = rest.indexOf('.')) {
      rest = rest.slice(dot + 1);
      const found = this.#name(`.${rest}`) ?? this.#name(rest);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** `user@domain`, the same without a subaddress, the domain and those above, `user@`. */
  address({ local, domain }: Address, delimiters: string): Found | undefined {
    const user = local.toLowerCase();
    const { local: bare } = splitDetail(user, delimiters);
    return (
      this.#name(`${user}@${domain}`) ??
      this.#name(`${bare}@${domain}`) ??
      this.domain(domain) ??
      this.#name(`${user}@`) ??
      this.#name(`${bare}@`)
    );
  }

  /** What stands for the null reverse-path. */
  nullSender(): Found | undefined {
    return this.#name('<>');
  }

  /** An IP address, the first network that holds it, or its beginning: `192.0.2`. */
  client(address: string): Found | undefined {
    const ip = parseIp(address);
    if (ip === undefined) return this.#name(address.toLowerCase());
    const network = this.#networks.find(({ first, bits }) => inNetwork(ip, first, bits));
    if (network !== undefined) return network;
    const separator = ip.family === 4 ? '.' : ':';
    let { text } = ip;
    for (;;) {
      const found = this.#name(text);
      const end = text.lastIndexOf(separator);
      if (found !== undefined || end <= 0) return found;
      text = text.slice(0, end);
    }
  }

  #name(key: string): Found | undefined {
    const action = this.#names.get(key);
    return action === undefined ? undefined : { key, action };
  }
}
