/** A server that verifies strangers, a DNS that says what the test wants, and strangers from anywhere. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { type Finished, run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { type DnsServer, type ZoneEntry, startDnsServer } from './dns-server.ts';
import { LineClient } from './line-client.ts';
import { type Running, startPostern, waitFor } from './postern.ts';

const POSTERN = path.join(ROOT, 'bin/postern');
const PASSWORD = 'correct horse battery';
export const HOME = 'home.test';
/** From here any client may be named. */
const PROXY = '127.0.0.2';

export interface Letter {
  /** The client's address. */
  readonly ip: string;
  readonly helo?: string;
  /** With what is in the angle brackets; empty for `<>`. */
  readonly sender: string;
  readonly recipient?: string;
  /** Octets as latin1. */
  readonly message: string;
  /** By BDAT, in two chunks (RFC 3030). */
  readonly chunked?: boolean;
}

/** `ann@home.test` and `ben@home.test` behind a proxy on loopback that names any client. */
export class Target {
  readonly running: Running;
  readonly dns: DnsServer;

  private constructor(running: Running, dns: DnsServer) {
    this.running = running;
    this.dns = dns;
  }

  static async start(
    zone: Readonly<Record<string, ZoneEntry>>,
    settings: string | ((dns: DnsServer) => string) = '',
    users: readonly string[] = ['ann', 'ben'],
  ): Promise<Target> {
    const dns = await startDnsServer(zone);
    const more = typeof settings === 'string' ? settings : settings(dns);
    const running = await startPostern({
      config: `
myhostname = "mx.${HOME}"
inet_interfaces = ["127.0.0.1"]
smtp_listen = ["127.0.0.1:0"]
submission_listen = []
submissions_listen = ["127.0.0.1:0"]
imap_listen = []
imaps_listen = ["127.0.0.1:0"]
pop3_listen = []
pop3s_listen = []
smtpd_upstream_proxy_hosts = ["127.0.0.2/32"]
mynetworks = ["10.9.0.0/16"]
resolver_addresses = ["${dns.server}"]
resolver_timeout = "1s"
queue_minfree = "1M"
${/^smtp_port/m.test(more) ? '' : 'smtp_port = 1'}
smtpd_client_connection_count_limit = 0
${more}
`,
    });
    const target = new Target(running, dns);
    assert.equal((await target.command('domain', 'add', HOME)).code, 0);
    for (const user of users) {
      const args = ['account', 'add', `${user}@${HOME}`, '--password-stdin'];
      const added = await target.run(args, `${PASSWORD}\n`);
      assert.equal(added.code, 0, added.output);
    }
    return target;
  }

  command(...args: string[]): Promise<Finished> {
    return this.run(args);
  }

  run(args: readonly string[], input = ''): Promise<Finished> {
    const { folder } = this.running;
    const flags = ['--config', path.join(folder, 'postern.toml')];
    return run(POSTERN, [...args, ...flags, '--data', path.join(folder, 'data')], { input });
  }

  /** What the server says to each step until it refuses; the last is about the content. */
  async deliver(letter: Letter): Promise<string> {
    const { ip, helo = 'mx.far.test', sender, recipient = `ann@${HOME}`, message } = letter;
    const { port } = this.#place('smtp');
    const client = await LineClient.connect(port, '127.0.0.1', 30_000, PROXY);
    try {
      const family = ip.includes(':') ? 'TCP6' : 'TCP4';
      const here = ip.includes(':') ? '2001:db8::1' : '192.0.2.1';
      client.send(`PROXY ${family} ${ip} ${here} 4711 25\r\n`);
      await client.reply();
      await client.ask(`EHLO ${helo}`);
      const steps = [`MAIL FROM:<${sender}>`, `RCPT TO:<${recipient}>`];
      for (const step of letter.chunked === true ? steps : [...steps, 'DATA']) {
        const said = await client.ask(step);
        if (!/^[23]/.test(said)) return said;
      }
      if (letter.chunked === true) {
        client.send(`BDAT 20\r\n${message.slice(0, 20)}`);
        await client.reply();
        client.send(`BDAT ${message.length - 20} LAST\r\n${message.slice(20)}`);
        return (await client.reply()).at(-1) ?? '';
      }
      await client.pour(message.replace(/^\./gm, '..'));
      return await client.ask(`${message.endsWith('\r\n') ? '' : '\r\n'}.`);
    } finally {
      client.close();
    }
  }

  /** Submits as a user; the answer to the content, or to the step that was refused. */
  async submit(
    user: string,
    recipient: string,
    message: string,
    sender = user,
    parameters = '',
  ): Promise<string> {
    const { host, port } = this.#place('submissions');
    const client = await LineClient.connectTls(port, host);
    try {
      await client.reply();
      await client.ask('EHLO desk.test');
      const plain = Buffer.from(`\0${user}@${HOME}\0${PASSWORD}`).toString('base64');
      assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
      const from = `MAIL FROM:<${sender}@${HOME}>${parameters}`;
      for (const step of [from, `RCPT TO:<${recipient}>`, 'DATA']) {
        const said = await client.ask(step);
        if (!/^[23]/.test(said)) return said;
      }
      return await client.ask(`${message}\r\n.`);
    } finally {
      client.close();
    }
  }

  /** Everything in a mailbox of a user, as text. */
  async mailbox(user = 'ann', name = 'INBOX'): Promise<string> {
    const { host, port } = this.#place('imaps');
    const client = await LineClient.connectTls(port, host);
    try {
      await client.line();
      await client.tagged('a', `LOGIN ${user}@${HOME} "${PASSWORD}"`);
      await client.tagged('b', `EXAMINE ${name}`);
      return (await client.tagged('c', 'FETCH 1:* BODY.PEEK[]')).join('\r\n');
    } finally {
      client.close();
    }
  }

  /** The story about a key, once it is written. */
  async trace(key: string, ...more: string[]): Promise<string> {
    let output = '';
    await waitFor(async () => {
      ({ output } = await this.run(['trace', key, ...more]));
      return !output.startsWith('postern:');
    }, 5_000);
    return output;
  }

  async stop(): Promise<void> {
    await this.running.stop();
    this.running.remove();
    await this.dns.close();
  }

  #place(name: string): { readonly host: string; readonly port: number } {
    const place = this.running.ready.listeners[name];
    assert.ok(place, `no listener ${name}`);
    return place;
  }
}

/** A message with a CRLF after each line of its head. */
export function letter(head: readonly string[], body = 'hello\r\n'): string {
  return `${head.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}
