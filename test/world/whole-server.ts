/** A Postern with every listener, LMTP and metrics included, users, and clients for each port. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Finished, run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { LineClient } from './line-client.ts';
import { type Running, startPostern } from './postern.ts';

export const POSTERN = path.join(ROOT, 'bin/postern');
/** What is looked for in logs and files afterwards, so it is like no other text. */
export const PASSWORD = 'canary-Kestrel7-quartz';
export const DOMAIN = 'whole.test';

/** The listeners that speak SMTP, with what a client must do before MAIL. */
export const SMTP_PORTS = ['smtp', 'submission', 'submissions', 'lmtp'] as const;
export type SmtpPort = (typeof SMTP_PORTS)[number];

export interface WholeOptions {
  /** TOML that comes last: more settings. */
  readonly settings?: string;
  /** Local parts. */
  readonly users?: readonly string[];
  readonly folder?: string;
  /** For limits far above the defaults. */
  readonly allowStalls?: boolean;
}

/** The running server and ways in. */
export class WholeServer {
  running: Running;
  readonly users: readonly string[];

  private constructor(running: Running, users: readonly string[]) {
    this.running = running;
    this.users = users.map((name) => `${name}@${DOMAIN}`);
  }

  static async start(options: WholeOptions = {}): Promise<WholeServer> {
    const running = await startPostern({
      config: configuration(options.settings),
      ...(options.folder === undefined ? {} : { folder: options.folder }),
      allowStalls: options.allowStalls ?? false,
    });
    const server = new WholeServer(running, options.users ?? ['ann', 'ben']);
    const made = await server.command('domain', 'add', DOMAIN);
    assert.equal(made.code, 0, made.output);
    for (const user of server.users) {
      const args = ['account', 'add', user, '--password-stdin'];
      const added = await server.run(args, `${PASSWORD}\n`);
      assert.equal(added.code, 0, added.output);
    }
    return server;
  }

  /** A command on its data, standard output and error together. */
  command(...args: string[]): Promise<Finished> {
    return this.run(args);
  }

  run(args: readonly string[], input = ''): Promise<Finished> {
    const { folder } = this.running;
    const flags = ['--config', path.join(folder, 'postern.toml'), '--data', this.data];
    return run(POSTERN, [...args, ...flags], { input });
  }

  get data(): string {
    return path.join(this.running.folder, 'data');
  }

  get pid(): number {
    return this.running.child.pid ?? 0;
  }

  port(name: string): number {
    const place = this.running.ready.listeners[name];
    assert.ok(place, `no listener ${name}`);
    return place.port;
  }

  /** Resident memory in MiB. */
  rss(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024;
  }

  /** Connected in clear, whatever the port expects; nothing read. */
  dial(name: string): Promise<LineClient> {
    return LineClient.connect(this.port(name));
  }

  /** Connected and greeted, in clear or with TLS from the start. */
  async open(name: string): Promise<LineClient> {
    const port = this.port(name);
    const secure = name === 'submissions' || name === 'imaps' || name === 'pop3s';
    const client = secure ? await LineClient.connectTls(port) : await LineClient.connect(port);
    await client.line();
    return client;
  }

  /** Where MAIL is next: greeted, in TLS and logged in where the port demands it. */
  async smtp(name: SmtpPort = 'smtp', user = 0): Promise<LineClient> {
    const client = await this.open(name);
    const hello = name === 'lmtp' ? 'LHLO' : 'EHLO';
    assert.match(await client.ask(`${hello} desk.far.example`), /^250/);
    if (name === 'submission') {
      assert.match(await client.ask('STARTTLS'), /^220/);
      await client.startTls();
      assert.match(await client.ask('EHLO desk.far.example'), /^250/);
    }
    if (name === 'submission' || name === 'submissions') {
      assert.match(await client.ask(`AUTH PLAIN ${this.plain(user)}`), /^235/);
    }
    return client;
  }

  plain(user: number): string {
    return Buffer.from(`\0${this.users[user]}\0${PASSWORD}`).toString('base64');
  }

  async imap(user = 0): Promise<LineClient> {
    const client = await this.open('imaps');
    const answer = await client.tagged('login', `LOGIN ${this.users[user]} ${PASSWORD}`);
    assert.match(answer.at(-1) ?? '', /^login OK/);
    return client;
  }

  async pop3(user = 0): Promise<LineClient> {
    const client = await this.open('pop3s');
    for (const line of [`USER ${this.users[user]}`, `PASS ${PASSWORD}`]) {
      client.send(`${line}\r\n`);
      assert.match((await client.line()) ?? '', /^\+OK/);
    }
    return client;
  }

  /** One message to a user from outside; the answer to its content, or to a sender refused. */
  async deliver(content: string, user = 0): Promise<string> {
    const client = await this.smtp();
    const sender = await client.ask('MAIL FROM:<s@far.example>');
    if (!sender.startsWith('250')) return sender;
    assert.match(await client.ask(`RCPT TO:<${this.users[user]}>`), /^250/);
    assert.match(await client.ask('DATA'), /^354/);
    await client.pour(content);
    const answer = await client.ask('\r\n.');
    client.close();
    return answer;
  }

  /** How many messages a user has in a mailbox. */
  async count(user = 0, mailbox = 'INBOX'): Promise<number> {
    const client = await this.imap(user);
    const [line] = await client.tagged('s', `STATUS ${mailbox} (MESSAGES)`);
    client.close();
    return Number(/MESSAGES (\d+)/.exec(line ?? '')?.[1]);
  }

  /** Whether mail still comes in and can be read: what must be true after every attack. */
  async isAlive(): Promise<void> {
    const before = await this.count(0);
    assert.match(await this.deliver('Subject: alive\r\n\r\nstill here'), /^250/);
    assert.equal(await this.count(0), before + 1);
    assert.equal(this.running.child.exitCode, null);
    assert.doesNotMatch(this.running.output(), /session-bug|accept-bug|"crash"/);
  }

  async stop(): Promise<void> {
    await this.running.stop();
    this.running.remove();
  }
}

/** Every listener on loopback, any free port; loopback is a stranger, nobody answers for DNS. */
export function configuration(more = ''): string {
  const lists = ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'lmtp'];
  return `
myhostname = "mx.whole.test"
inet_interfaces = ["127.0.0.1"]
mynetworks = []
smtpd_client_connection_count_limit = 0
queue_minfree = "1M"
resolver_addresses = ["127.0.0.1:1"]
${lists.map((name) => `${name}_listen = ["127.0.0.1:0"]`).join('\n')}
${more}
`;
}
