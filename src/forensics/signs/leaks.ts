/** What the header tells of the inside of somebody's network: addresses, names, users, versions. */

import { isInternalName, isLoopback, isPrivate } from '../names/domains.ts';
import type { Sign } from '../case.ts';

const MOST = 20;

export const leaks: Sign = {
  id: 'leaks',
  title: 'internal names and addresses',
  strength: 'context',
  rates: { phish: 96.6, easyHam: 26.6, hardHam: 20.8, spam: 6.7 },
  innocent:
    'nearly every company’s mail: it says much about the network, nothing about the message',
  look: ({ route }) => {
    const found = new Map<string, string>();
    for (const { line, number } of route.hops) {
      const add = (what: string, text: string): void => {
        if (found.size < MOST && !found.has(text))
          found.set(text, `${what} in line ${number}: ${text}`);
      };
      for (const read of [line.ip, line.byIp]) {
        if (read !== undefined && isPrivate(read.text)) add('private address', read.text);
      }
      const literal = /^\[([\d.]+)\]$/.exec(line.helo?.text ?? '')?.[1];
      if (literal !== undefined && isPrivate(literal)) add('private address', literal);
      for (const read of [line.helo, line.rdns, line.by]) {
        const name = read?.text ?? '';
        const plain = /^[A-Za-z][\w.-]*$/.test(name) && name !== 'localhost' && !isLoopback(name);
        if (plain && isInternalName(name)) add('internal name', name);
      }
      if (line.login !== undefined && line.login.text !== '') add('login', line.login.text);
      if (line.ident !== undefined) add('user', line.ident.text);
      const { name, version } = line.product ?? {};
      if (name !== undefined && version !== undefined) add('version', `${name} ${version}`);
    }
    return [...found].map(([quote, text]) => ({ text, quotes: [quote] }));
  },
};
