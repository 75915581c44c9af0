/** Postfix as it comes, but for its names, its address, and loopback that it does not trust. */

import { utimesSync } from 'node:fs';
import path from 'node:path';
import type { Finished } from '../../interop/tools.ts';
import type { Server } from '../server.ts';
import { DOMAIN, HOST, PASSWORD, type Root, USERS } from '../root.ts';
import { waitFor } from '../../world/postern.ts';
import { takesMail } from '../mail.ts';
import { lastOfEach } from './last.ts';

const PID = '/var/spool/postfix/pid/master.pid';
const LOG = '/var/log/lab.log';
const DELIVERY_MS = 15_000;
/** Not that a service lost sight of another one that has just been exchanged. */
const COMPLAINT =
  /(?:fatal|error): |warning: (?!dict_proxy_|problem talking |connect to |process |file system clock |resetting file |\/usr\/lib\/)/;

export const postfix: Server = {
  layer: 'postfix',
  async write(root, { address, settings, services }) {
    const lines = [
      'compatibility_level = 3.6',
      `maillog_file = ${LOG}`,
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
    ];
    // The last line of a name counts, and Postfix warns of the others.
    const counting = lastOfEach(lines, (line) => /^(\w+)\s*=/.exec(line)?.[1]);
    root.write('/etc/postfix/main.cf', `${counting.join('\n')}\n`);
    // Each of its programs waits until the file is two seconds old.
    const beforeSeconds = Date.now() / 1_000 - 10;
    utimesSync(path.join(root.folder, 'etc/postfix/main.cf'), beforeSeconds, beforeSeconds);
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
    const before = root.read(LOG).length;
    const read = await root.attempt('postconf', ['-n']);
    const begun = await begin(root);
    const address = /^inet_interfaces = (\S+)$/m.exec(root.read('/etc/postfix/main.cf'))?.[1];
    const refused = (await takesMail(address ?? '127.0.0.1')) ?? (await delivered(root, before));
    const said = [read, ...begun].flatMap(({ output }) => output.split('\n'));
    const log = root.read(LOG).slice(before).split('\n');
    const wrong = [...said, ...log].filter((line) => COMPLAINT.test(line));
    if (refused === undefined) return wrong;
    // A service that could not start is left alone for a minute.
    await root.attempt('postfix', ['stop']);
    root.write(PID, '');
    return [...wrong, refused];
  },
};

/** The message that was taken reaches the mailbox; what the log says when it does not in time. */
async function delivered(root: Root, from: number): Promise<string | undefined> {
  const said = (): string => root.read(LOG).slice(from);
  const came = await waitFor(() => said().includes(' status=sent '), DELIVERY_MS);
  return came ? undefined : `not delivered: ${/ status=.*/.exec(said())?.[0] ?? ''}`;
}

/** Starts it, or tells the one that runs to read its files again. */
async function begin(root: Root): Promise<readonly Finished[]> {
  const id = Number(root.read(PID).trim());
  if (id > 0) {
    process.kill(id, 'SIGHUP');
    return [];
  }
  return [await root.attempt('postfix', ['start'])];
}

/** People in Cyrus SASL's own file, where logins are wanted at all. */
async function logins(root: Root, settings: string): Promise<void> {
  if (!settings.includes('smtpd_sasl') || root.read('/etc/sasldb2').includes(USERS[0])) return;
  for (const user of USERS) {
    const set = `echo '${PASSWORD}' | saslpasswd2 -p -c -u ${DOMAIN} ${user}`;
    await root.run('sh', '-c', set);
  }
  await root.run('chgrp', 'postfix', '/etc/sasldb2');
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
