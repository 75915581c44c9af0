/** Postfix as it comes, but for its names, its address, and loopback that it does not trust. */

import type { Server } from '../server.ts';
import { DOMAIN, HOST, PASSWORD, type Root, USERS } from '../root.ts';

export const postfix: Server = {
  layer: 'postfix',
  async write(root, { address, settings, services }) {
    const lines = withoutEarlier([
      'compatibility_level = 3.6',
      'maillog_file = /var/log/lab.log',
      `myhostname = ${HOST}`,
      `mydomain = ${DOMAIN}`,
      'myorigin = $mydomain',
      'mydestination = $mydomain, $myhostname',
      `inet_interfaces = ${address}`,
      'inet_protocols = ipv4',
      // Loopback is trusted by default, and everything here comes from it.
      'mynetworks = 127.88.0.1/32',
      'alias_maps = hash:/etc/aliases',
      'alias_database = hash:/etc/aliases',
      'smtpd_peername_lookup = no',
      ...settings.split('\n'),
    ]);
    root.write('/etc/postfix/main.cf', `${lines.join('\n')}\n`);
    root.write(
      '/etc/postfix/master.cf',
      masterCf(root.read('/usr/share/postfix/master.cf.dist'), services),
    );
    await root.run('newaliases');
    await logins(root, settings);
    return '/etc/postfix/main.cf';
  },
  async start(root) {
    await root.run('postfix', 'start');
  },
  /** Names and tables first; then the server itself, which alone looks at the values. */
  async check(root) {
    const read = await root.attempt('postconf', ['-n']);
    const checked = await root.attempt('postfix', ['check']);
    const spoken = await root.attempt('/usr/lib/postfix/sbin/smtpd', ['-S'], {
      input: `EHLO client.example\nMAIL FROM:<>\nRCPT TO:<alice@${DOMAIN}>\nQUIT\n`,
    });
    const said = [read, checked, spoken].flatMap(({ output }) => output.split('\n'));
    const log = root.read('/var/log/lab.log').split('\n');
    const wrong = [...said, ...log].filter((line) =>
      /(?:fatal|warning|error): |^[45]\d\d/.test(line),
    );
    return spoken.output.includes('\n221') ? wrong : [...wrong, 'smtpd does not end the session'];
  },
};

/** People in Cyrus SASL's own file, where logins are wanted at all. */
async function logins(root: Root, settings: string): Promise<void> {
  if (!settings.includes('smtpd_sasl')) return;
  for (const user of USERS) {
    const set = `echo '${PASSWORD}' | saslpasswd2 -p -c -u ${DOMAIN} ${user}`;
    await root.run('sh', '-c', set);
  }
  await root.run('chgrp', 'postfix', '/etc/sasldb2');
}

/** The last line of a name counts, and Postfix warns of the others. */
function withoutEarlier(lines: readonly string[]): string[] {
  const names = lines.map((line) => /^(\w+)\s*=/.exec(line)?.[1]);
  return lines.filter((_, at) => names[at] === undefined || names.lastIndexOf(names[at]) === at);
}

/** No service in a second chroot; the profile's listeners instead of ours when it has any for 25. */
function masterCf(stock: string, services: string): string {
  const own = new Set(services.split('\n').map((line) => serviceOf(line)));
  const rows = stock.split('\n').flatMap((line) => {
    const columns = line.split(/\s+/);
    if (!/^[a-z0-9]/.test(line) || columns.length < 8) return [line];
    if (own.has(serviceOf(line))) return [];
    columns[4] = 'n';
    return [columns.join(' ')];
  });
  return `${rows.join('\n')}\n${services}\n`;
}

/** `smtp inet` of `127.77.0.1:smtp inet n - n - - smtpd`. */
function serviceOf(line: string): string {
  const [name = '', kind = ''] = line.split(/\s+/);
  return `${name.slice(name.lastIndexOf(':') + 1)} ${kind}`;
}
