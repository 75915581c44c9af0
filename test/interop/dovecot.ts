/** A private Dovecot: its own folders, on one loopback address, started and stopped here. */

import { chmodSync, mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestCertificate } from '../world/certificates.ts';
import { run } from './tools.ts';

export interface Dovecot {
  log(): string;
  stop(): Promise<void>;
}

export interface DovecotOptions {
  readonly folder: string;
  /** The address it listens on: 143 and 993. */
  readonly address: string;
  readonly tls: TestCertificate;
  /** More lines for dovecot.conf. */
  readonly settings?: string;
}

/** Starts it; needs root and Debian's dovecot-imapd. Nobody can log in. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const { folder, tls } = options;
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  writeFileSync(path.join(folder, 'cert.pem'), tls.certificate);
  writeFileSync(path.join(folder, 'key.pem'), tls.key, { mode: 0o600 });
  writeFileSync(path.join(folder, 'nobody'), '');
  const file = path.join(folder, 'dovecot.conf');
  writeFileSync(file, configuration(options));
  // It goes on in the background, and would keep our pipe open.
  const started = await run('sh', ['-c', `dovecot -c ${file} >${folder}/start 2>&1`]);
  if (started.code !== 0) {
    throw new Error(`dovecot did not start: ${readFileSync(`${folder}/start`, 'utf8')}`);
  }
  const log = path.join(folder, 'log');
  return {
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    async stop() {
      await run('doveadm', ['-c', file, 'stop']);
    },
  };
}

function configuration({ folder, address, settings = '' }: DovecotOptions): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = test-${path.basename(folder)}
log_path = ${folder}/log
protocols = imap
listen = ${address}
ssl = required
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
mail_location = maildir:${folder}/mail
passdb {
  driver = passwd-file
  args = ${folder}/nobody
}
userdb {
  driver = passwd-file
  args = ${folder}/nobody
}
${settings}
`;
}
