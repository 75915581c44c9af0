/** Exim with a short configuration of its own shape: ACLs and routers as Debian's, in one file. */

import { DOMAIN, HOST } from '../root.ts';
import type { Server } from '../server.ts';
import { lastOfEach } from './last.ts';

/** Names between braces in a profile's lines: `main`, `rcpt`, `data`, `acls`, `routers`, `transports`, `auth`. */
export const exim: Server = {
  layer: 'exim',
  async write(root, { address, settings }) {
    const part = partsOf(settings);
    root.write(
      '/etc/exim4/lab.conf',
      `${mainPart(address, part)}

begin acl
acl_check_rcpt:
${part('rcpt')}
  accept  hosts = :
  deny    domains = +local_domains
          local_parts = ^[.] : ^.*[@%!/|]
          message = Restricted characters in address
  deny    domains = !+local_domains
          local_parts = ^[./|] : ^.*[@%!] : ^.*/\\\\.\\\\./
          message = Restricted characters in address
  accept  local_parts = postmaster
          domains = +local_domains
  accept  hosts = +relay_from_hosts
          control = submission
  accept  authenticated = *
          control = submission
  require message = relay not permitted
          domains = +local_domains : +relay_to_domains
${part('verify') || '  require verify = recipient'}
  accept

acl_check_data:
${part('data')}
  accept

${part('acls')}

begin routers
${part('routers')}
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 0.0.0.0
  no_more
system_aliases:
  driver = redirect
  allow_fail
  allow_defer
  data = \${lookup{$local_part}lsearch{/etc/aliases}}
localuser:
  driver = accept
  check_local_user
  transport = discard
rootuser:
  driver = accept
  local_parts = root
  transport = discard

begin transports
remote_smtp:
  driver = smtp
${part('transports')}
discard:
  driver = appendfile
  file = /dev/null
  user = nobody
  group = nogroup

begin retry
* * F,2h,15m

begin rewrite

begin authenticators
${part('auth')}
`,
      0o640,
    );
    await root.run('chgrp', 'Debian-exim', '/etc/exim4/lab.conf', '/etc/lab/key.pem');
    return '/etc/exim4/lab.conf';
  },
  start(root) {
    root.start('exim4', '-C', '/etc/exim4/lab.conf', '-bdf', '-q1m', '-oX', '25');
    return Promise.resolve();
  },
  /** The reader, then a session without a network: only that expands what the lines say. */
  async check(root) {
    const read = await root.attempt('exim4', ['-C', '/etc/exim4/lab.conf', '-bV']);
    if (read.code !== 0) return read.output.split('\n').filter((line) => line.includes('error'));
    const spoken = await root.attempt('exim4', ['-C', '/etc/exim4/lab.conf', '-bh', '192.0.2.1'], {
      input: `EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<alice@${DOMAIN}>\r\nQUIT\r\n`,
    });
    const answers = spoken.output.split('\n').filter((line) => /^\d{3} /.test(line));
    const good = answers.length === 5 && answers.every((line) => line.startsWith('2'));
    return good ? [] : answers.filter((line) => !line.startsWith('2'));
  },
};

/** An option may stand there once: what the profile says counts. */
function mainPart(address: string, part: (name: string) => string): string {
  const lines = `primary_hostname = ${HOST}
domainlist local_domains = ${DOMAIN} : ${HOST}
domainlist relay_to_domains = ${part('relay_to_domains')}
hostlist relay_from_hosts = ${part('relay_from_hosts') || '127.88.0.1'}
local_interfaces = ${address}
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
never_users = root
host_lookup =
rfc1413_query_timeout = 0s
log_selector = +all
keep_environment =
tls_certificate = /etc/lab/cert.pem
tls_privatekey = /etc/lab/key.pem
${part('main')}`.split('\n');
  const name = /^(?:(?:host|domain)list )?(\w+) *=/;
  return lastOfEach(lines, (line) => name.exec(line)?.[1]).join('\n');
}

/** A profile's lines by part: `[rcpt]` begins one; what comes before is `main`. */
function partsOf(settings: string): (name: string) => string {
  const parts = new Map<string, string[]>();
  let name = 'main';
  for (const line of settings.split('\n')) {
    const begun = /^\[(\w+)\]$/.exec(line)?.[1];
    if (begun === undefined) parts.set(name, [...(parts.get(name) ?? []), line]);
    else name = begun;
  }
  return (wanted) => (parts.get(wanted) ?? []).join('\n').trimEnd();
}
