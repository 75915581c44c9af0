/** Debian's Postfix with a queue and a configuration of its own, on one port of loopback. */

import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../interop/tools.ts';
import { Group } from '../group.ts';

/** `hold`: kept in the queue; `virtual`: into a Maildir; `relay`: to the next hop. */
export type PostfixMode = 'hold' | 'virtual' | 'relay';

export interface PostfixOptions {
  readonly folder: string;
  readonly port: number;
  readonly mode: PostfixMode;
  /** The next hop's port. */
  readonly sink?: number;
}

export interface Postfix {
  readonly group: Group;
  /** How many messages are in the Maildir. */
  delivered(): number;
  stop(): Promise<void>;
}

/** Starts it; needs root. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const { folder } = options;
  const etc = path.join(folder, 'etc');
  for (const name of ['etc', 'spool', 'data', 'mail']) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  chmodSync(folder, 0o755);
  await run('chown', ['postfix', path.join(folder, 'data')]);
  await run('chown', ['nobody:nogroup', path.join(folder, 'mail')]);
  writeFileSync(path.join(etc, 'main.cf'), postfixConfiguration(options));
  writeFileSync(path.join(etc, 'master.cf'), services(options.port));
  for (const name of ['dynamicmaps.cf', 'dynamicmaps.cf.d', 'postfix-files']) {
    const from = path.join('/etc/postfix', name);
    if (existsSync(from)) cpSync(from, path.join(etc, name), { recursive: true });
  }
  const group = new Group('postfix');
  const child = group.start('postfix', ['-c', etc, 'start'], path.join(folder, 'start.log'));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) {
    throw new Error(`postfix: ${readFileSync(path.join(folder, 'log'), 'utf8')}`);
  }
  const maildir = path.join(folder, 'mail/u/Maildir/new');
  return {
    group,
    delivered: () => (existsSync(maildir) ? readdirSync(maildir).length : 0),
    stop: async () => {
      await run('postfix', ['-c', etc, 'stop'], { timeoutMs: 30_000 });
      group.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** main.cf; durable and logging as Postfix always is, and nothing that slows it down on purpose. */
export function postfixConfiguration(options: PostfixOptions): string {
  const { folder, mode } = options;
  const modes: Record<PostfixMode, string> = {
    hold: 'smtpd_client_restrictions = check_client_access static:HOLD',
    virtual: '',
    relay: `virtual_mailbox_domains =
relay_domains = bench.test
relayhost = [127.0.0.1]:${options.sink ?? 'SINK'}
smtp_tls_security_level = none
disable_dns_lookups = yes`,
  };
  return `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = mx.bench.test
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = bench.test
virtual_mailbox_maps = static:u/Maildir/
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_limit = 0
virtual_minimum_uid = 100
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
message_size_limit = 52428800
smtpd_peername_lookup = no
smtpd_tls_security_level = none
in_flow_delay = 0
default_process_limit = 250
${modes[mode]}
`;
}

function services(port: number): string {
  const lines = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8').split('\n');
  const rows = lines.map((line) => {
    if (/^smtp\s+inet/.test(line)) return `127.0.0.1:${port} inet n - n - - smtpd`;
    const columns = line.split(/\s+/);
    if (!/^[a-z0-9]/.test(line) || columns.length < 8) return line;
    columns[4] = 'n';
    return columns.join(' ');
  });
  return rows.join('\n');
}
