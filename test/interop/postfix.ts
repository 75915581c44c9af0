/** A private Postfix: its own folders and queue, on one loopback address, started and stopped here. */

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { run } from './tools.ts';

export interface Postfix {
  /** Hands a message to its sendmail command. */
  sendmail(from: string, to: string, message: string): Promise<void>;
  /** Every message in a mailbox of its virtual domain, joined. */
  mailbox(user: string): string;
  log(): string;
  stop(): Promise<void>;
}

export interface PostfixOptions {
  readonly folder: string;
  /** `postfix.test`: delivered to Maildirs; users not listed are refused. */
  readonly domain: string;
  readonly users: readonly string[];
  /** The address it listens on, port 25. */
  readonly address: string;
  /** More lines for main.cf. */
  readonly settings?: string;
}

/** Starts it; needs root and Debian's postfix. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const { folder, domain, users, address } = options;
  const etc = path.join(folder, 'etc');
  for (const name of ['etc', 'spool', 'data', 'mail']) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  chmodSync(folder, 0o755);
  await run('chown', ['postfix', path.join(folder, 'data')]);
  await run('chown', ['nobody:nogroup', path.join(folder, 'mail')]);
  await makeCertificate(etc, `mx.${domain}`);
  writeFileSync(
    path.join(etc, 'users'),
    users.map((user) => `${user}@${domain} ${user}/Maildir/\n`).join(''),
  );
  writeFileSync(path.join(etc, 'main.cf'), mainCf(options));
  writeFileSync(path.join(etc, 'master.cf'), masterCf(address));
  for (const name of ['dynamicmaps.cf', 'dynamicmaps.cf.d', 'postfix-files']) {
    const from = path.join('/etc/postfix', name);
    if (existsSync(from)) cpSync(from, path.join(etc, name), { recursive: true });
  }
  const started = await run('postfix', ['-c', etc, 'start']);
  if (started.code !== 0) throw new Error(`postfix did not start: ${started.output}`);
  return {
    async sendmail(from, to, message) {
      const args = ['-C', etc, '-f', from, to];
      const { code, output } = await run('sendmail', args, { input: message });
      if (code !== 0) throw new Error(output);
    },
    mailbox: (user) => readMaildir(path.join(folder, 'mail', user, 'Maildir')),
    log: () => readIfThere(path.join(folder, 'log')),
    async stop() {
      await run('postfix', ['-c', etc, 'stop']);
    },
  };
}

function mainCf(options: PostfixOptions): string {
  const { folder, domain, address } = options;
  const usual = `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = mx.${domain}
mydestination =
alias_maps =
inet_interfaces = ${address}
smtp_bind_address = ${address}
inet_protocols = ipv4
mynetworks = ${address}/32
virtual_mailbox_domains = ${domain}
virtual_mailbox_maps = texthash:${folder}/etc/users
virtual_mailbox_base = ${folder}/mail
virtual_minimum_uid = 100
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${folder}/etc/cert.pem
smtpd_tls_key_file = ${folder}/etc/key.pem
smtpd_tls_received_header = yes
smtp_tls_security_level = may
smtp_host_lookup = dns`;
  // Each name once: every process warns of one that stands twice, and some four warnings in each
  // fill the log's socket before its daemon is there, so that smtpd waits for ever.
  const rows = new Map<string, string>();
  for (const line of `${usual}\n${options.settings ?? ''}`.split('\n')) {
    rows.set(line.split('=', 1)[0]!.trim(), line);
  }
  return `${[...rows.values()].join('\n')}\n`;
}

function masterCf(address: string): string {
  const lines = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8').split('\n');
  const services = lines.map((line) => {
    if (/^smtp\s+inet/.test(line)) return `${address}:25 inet n - n - - smtpd`;
    const columns = line.split(/\s+/);
    if (!/^[a-z0-9]/.test(line) || columns.length < 8) return line;
    // No chroot: the resolver's file of this namespace must be seen.
    columns[4] = 'n';
    return columns.join(' ');
  });
  return services.join('\n');
}

async function makeCertificate(folder: string, name: string): Promise<void> {
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${name}`,
    '-keyout',
    path.join(folder, 'key.pem'),
    '-out',
    path.join(folder, 'cert.pem'),
  ]);
}

function readMaildir(folder: string): string {
  const texts = ['new', 'cur'].flatMap((name) => {
    const place = path.join(folder, name);
    if (!existsSync(place)) return [];
    return readdirSync(place).map((file) => readFileSync(path.join(place, file), 'latin1'));
  });
  return texts.join('\n');
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
