/** Debian's Dovecot over a Maildir, with a configuration of its own, on loopback. */

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../interop/tools.ts';
import { freePort } from '../../world/ports.ts';
import { Group } from '../group.ts';
import { PASSWORD } from './postern.ts';

const MAIL_USER = 65_534;

export interface Dovecot {
  readonly group: Group;
  readonly clearPort: number;
  readonly tlsPort: number;
  readonly mail: string;
  stop(): Promise<void>;
}

/** Starts it with users u0, u1 ...; needs root. The password has Dovecot's default scheme. */
export async function startDovecot(options: {
  readonly folder: string;
  readonly users: number;
}): Promise<Dovecot> {
  const { folder } = options;
  for (const name of ['run', 'state', 'mail']) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  chmodSync(folder, 0o755);
  await run('chown', [`${MAIL_USER}:${MAIL_USER}`, path.join(folder, 'mail')]);
  await makeCertificate(folder);
  const { output } = await run('doveadm', ['pw', '-p', PASSWORD]);
  const hash = output.trim();
  const users = Array.from({ length: options.users }, (_, number) => `u${number}:${hash}::::::\n`);
  writeFileSync(path.join(folder, 'users'), users.join(''));
  const [clearPort, tlsPort] = [await freePort(), await freePort()];
  const file = path.join(folder, 'dovecot.conf');
  writeFileSync(file, dovecotConfiguration(folder, clearPort, tlsPort));
  const group = new Group('dovecot');
  const child = group.start('dovecot', ['-c', file], path.join(folder, 'start.log'));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) {
    throw new Error(`dovecot: ${readFileSync(path.join(folder, 'start.log'), 'utf8')}`);
  }
  return {
    group,
    clearPort,
    tlsPort,
    mail: path.join(folder, 'mail'),
    stop: async () => {
      await run('doveadm', ['-c', file, 'stop']);
      await new Promise((resolve) => setTimeout(resolve, 300));
      group.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** dovecot.conf: defaults but for places, ports and limits that would end the measurement. */
export function dovecotConfiguration(folder: string, clear: number, tls: number): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = no
mail_location = maildir:${folder}/mail/%n
mail_fsync = optimized
first_valid_uid = 100
default_client_limit = 4000
default_process_limit = 3000
mail_max_userip_connections = 5000
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = static
  args = uid=${MAIL_USER} gid=${MAIL_USER} home=${folder}/mail/%n
}
service imap-login {
  inet_listener imap {
    port = ${clear}
  }
  inet_listener imaps {
    port = ${tls}
    ssl = yes
  }
  process_limit = 3000
}
service imap {
  process_limit = 3000
}
service anvil {
  client_limit = 8000
}
service auth {
  client_limit = 8000
}
service stats {
  client_limit = 8000
}
`;
}

async function makeCertificate(folder: string): Promise<void> {
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30';
  const [key, certificate] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const places = ['-subj', '/CN=mx.bench.test', '-keyout', key, '-out', certificate];
  const made = await run('openssl', [...kind.split(' '), ...places]);
  if (made.code !== 0) throw new Error(made.output);
}
