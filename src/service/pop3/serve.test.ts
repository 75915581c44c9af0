/** POP3 sessions over a memory connection and store: locks, deletions, logins, lost clients. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { suite, test } from 'node:test';
import type {
  AccountId,
  ContentId,
  Domain,
  MailboxId,
  ModSeq,
  SessionId,
  Uid,
} from '#base/brand.ts';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import type { Clock, Connection, Receiver } from '#base/world.ts';
import type { HashFunction } from '#policy/login/argon2.ts';
import { Logins } from '#policy/login/logins.ts';
import { hashPassword } from '#policy/login/password.ts';
import { Durable } from '#store/durable.ts';
import type { Credentials } from '#store/directory.ts';
import type { MailReader, Mailbox, Message, UidRanges } from '#store/mail.ts';
import type { Store } from '#store/store.ts';
import type { Pop3Listener } from './listener.ts';
import { MaildropLocks } from './locks.ts';
import { loadMaildrop } from './maildrop.ts';
import { servePop3 } from './serve.ts';

const TLS = Secure.established({
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: undefined,
  peer: { kind: 'not-asked' },
  channelBinding: { exporter: undefined, serverEndPoint: undefined },
});
const ALICE = 1 as AccountId;
const INBOX = 5 as MailboxId;
const LOGIN = 'USER alice\r\nPASS secret\r\n';

suite('pop3 service', () => {
  test('log in, read, delete, quit: removed from the store, by UID and nothing else', async () => {
    const site = await makeSite(['one', 'two', 'three', 'four']);
    const client = new Client(site);
    await client.say(`${LOGIN}UIDL\r\nRETR 2\r\nDELE 1\r\nDELE 2\r\nDELE 4\r\nQUIT\r\n`);
    assert.match(client.output, /\r\n1 77\.10\r\n2 77\.20\r\n3 77\.30\r\n4 77\.40\r\n\.\r\n/);
    assert.match(client.output, /\r\n\+OK \d+ octets\r\nSubject: two\r\n\r\ntwo\r\n\.\r\n/);
    assert.match(client.output, /\+OK goodbye, 3 removed\r\n$/);
    assert.deepEqual(site.expunged, [
      [
        [10, 10],
        [20, 20],
        [40, 40],
      ],
    ]);
    assert.ok(client.closed);
  });

  test('the unique ids are the same in the next session', async () => {
    const site = await makeSite(['one', 'two']);
    const first = new Client(site);
    await first.say(`${LOGIN}DELE 1\r\nQUIT\r\n`);
    const second = new Client(site);
    await second.say(`${LOGIN}UIDL\r\n`);
    assert.match(second.output, /\r\n1 77\.20\r\n\.\r\n$/);
  });

  test('a client that vanishes removes nothing and leaves no lock', async () => {
    const site = await makeSite(['one']);
    const first = new Client(site);
    await first.say(`${LOGIN}DELE 1\r\n`);
    const second = new Client(site);
    await second.say(LOGIN);
    assert.match(second.output, /-ERR \[IN-USE\]/);
    first.receiver?.closed(Failure.temporary('reset', 'connection reset'));
    await second.say(LOGIN);
    assert.match(second.output, /\+OK 1 messages/);
    assert.deepEqual(site.expunged, []);
  });

  test('a silent session gives way to a new login, without removing anything', async () => {
    const site = await makeSite(['one']);
    const silent = new Client(site);
    await silent.say(`${LOGIN}DELE 1\r\n`);
    site.elapse(59_000);
    const early = new Client(site);
    await early.say(LOGIN);
    assert.match(early.output, /\[IN-USE\]/);
    await silent.say('NOOP\r\n');
    site.elapse(59_000);
    await early.say(LOGIN);
    assert.doesNotMatch(early.output, /\+OK 1 messages/);
    site.elapse(2_000);
    await early.say(LOGIN);
    assert.match(early.output, /\+OK 1 messages/);
    assert.ok(silent.closed && !early.closed);
    const third = new Client(site);
    await third.say(LOGIN);
    assert.match(third.output, /\[IN-USE\]/, 'the lock is held by the one who took it over');
    assert.deepEqual(site.expunged, []);
  });

  test('a maildrop that cannot be listed is unlocked again', async () => {
    const site = await makeSite(['one']);
    site.broken = Failure.temporary('disk', 'no disk');
    const client = new Client(site);
    await client.say(LOGIN);
    assert.match(client.output, /-ERR \[SYS\/TEMP\] try again later\r\n$/);
    site.broken = undefined;
    const other = new Client(site);
    await other.say(LOGIN);
    assert.match(other.output, /\+OK 1 messages/);
  });

  test('a client that leaves while its mail is listed leaves no lock', async () => {
    const site = await makeSite(['one']);
    const listing = Promise.withResolvers<void>();
    site.delay = listing.promise;
    const gone = new Client(site);
    await gone.say(LOGIN);
    gone.receiver?.closed();
    site.delay = undefined;
    listing.resolve();
    await turns();
    const other = new Client(site);
    await other.say(LOGIN);
    assert.match(other.output, /\+OK 1 messages/);
  });

  test('QUIT when the store fails: -ERR, and the messages stay', async () => {
    const site = await makeSite(['one']);
    const client = new Client(site);
    await client.say(`${LOGIN}DELE 1\r\n`);
    site.broken = Failure.temporary('disk-full', 'full');
    await client.say('QUIT\r\n');
    assert.match(client.output, /-ERR \[SYS\/TEMP\] deleted messages were not removed\r\n$/);
    assert.ok(client.closed);
  });

  test('wrong passwords are logged, counted and in the end delayed', async () => {
    const site = await makeSite([]);
    for (let round = 0; round < 11; round += 1) {
      const client = new Client(site);
      await client.say(`USER alice\r\nPASS wrong ${round}\r\n`);
      const reply =
        round < 10 ? /-ERR \[AUTH\] login failed/ : /-ERR \[SYS\/TEMP\] too many failed/;
      assert.match(client.output, reply, String(round));
    }
    assert.equal(site.events.filter((event) => event === 'login-failed').length, 10);
  });

  test('in clear nothing but STLS is offered', async () => {
    const client = new Client(await makeSite([]), 'clear');
    await client.say(`CAPA\r\n${LOGIN}`);
    assert.doesNotMatch(client.output, /USER|SASL|\+OK \d+ messages/);
  });

  test('a maildrop larger than one read, and larger than the limit', async () => {
    const site = await makeSite(Array.from({ length: 4_500 }, () => 'x'));
    const whole = await loadMaildrop(site.store.mail, ALICE, 1_000_000);
    assert.equal(whole.count, 4_500);
    assert.equal(whole.uniqueId(4_499), '77.45000');
    assert.equal(whole.totalBytes, 4_500 * whole.sizeBytes(0));
    const limited = await loadMaildrop(site.store.mail, ALICE, 3_000);
    assert.equal(limited.count, 3_000);
    assert.equal(limited.uniqueId(2_999), '77.30000');
  });

  test('many scattered deletions become several short writes', async () => {
    const site = await makeSite(Array.from({ length: 2_500 }, () => 'x'));
    const client = new Client(site);
    await client.say(LOGIN);
    await client.say(...Array.from({ length: 2_500 }, (_, index) => `DELE ${index + 1}\r\n`));
    await client.say('QUIT\r\n');
    assert.match(client.output, /2500 removed\r\n$/);
    assert.deepEqual(
      site.expunged.map((ranges) => ranges.length),
      [1_000, 1_000, 500],
    );
  });
});

/** The client's end of a memory connection. */
class Client implements Connection {
  readonly remote = { address: '192.0.2.7', port: 40_000 };
  readonly local = { address: '192.0.2.1', port: 995 };
  readonly secure: Secure | undefined;
  receiver: Receiver | undefined;
  output = '';
  closed = false;

  constructor(site: TestSite, clear?: 'clear') {
    this.secure = clear === undefined ? TLS : undefined;
    servePop3(this, site.listener, site, 'S1' as SessionId, () => {});
  }

  async say(...chunks: string[]): Promise<void> {
    for (const chunk of chunks) this.receiver?.received(utf8(chunk));
    await turns();
  }

  open(receiver: Receiver): void {
    this.receiver = receiver;
  }

  write(bytes: Uint8Array): boolean {
    this.output += latin1(bytes);
    return true;
  }

  pause(): void {}
  resume(): void {}

  startTls(): Promise<Secure> {
    return Promise.resolve(TLS);
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.receiver?.closed();
  }
}

const countedHash: HashFunction = async (password, salt, _parameters, length) =>
  createHmac('sha256', salt).update(password).digest().subarray(0, length);

/** One account, `alice` with the password `secret`, and her INBOX. */
class TestSite {
  readonly hostname = 'mx.demo.test' as Domain;
  readonly tls = undefined;
  readonly handshakeMs = 1_000;
  readonly events: string[] = [];
  readonly expunged: UidRanges[] = [];
  readonly listener: Pop3Listener;
  readonly logins: Logins;
  readonly store: Store;
  readonly random = { bytes: (length: number) => new Uint8Array(length).fill(3) };
  readonly metrics = { count: () => {}, gauge: () => {}, observe: () => {} };
  readonly log = { event: (_level: string, name: string) => void this.events.push(name) };
  readonly clock: Clock;
  broken: Failure | undefined;
  delay: Promise<void> | undefined;
  #nowMs = 1_000_000;
  #messages: { uid: number; text: string }[];

  constructor(messages: readonly string[], credentials: Credentials) {
    this.#messages = messages.map((name, index) => ({
      uid: (index + 1) * 10,
      text: `Subject: ${name}\r\n\r\n${name}\r\n`,
    }));
    const now = () => this.#nowMs;
    this.clock = { now, elapsed: now, after: () => ({ cancel: () => {} }) };
    this.listener = {
      name: 'pop3s',
      machine: {},
      locks: new MaildropLocks(),
      sessionMs: 1_000_000,
    };
    const account = { id: ALICE, address: 'alice@demo.test', enabled: true, createdMs: 0 };
    this.logins = new Logins({
      directory: {
        domains: () => [{ name: 'demo.test' as Domain, catchAll: undefined }],
        account: (address) => (address === account.address ? account : undefined),
        credentials: () => credentials,
      },
      clock: this.clock,
      random: this.random,
      installationKey: new Uint8Array(32),
      hash: countedHash,
    });
    this.store = this.#makeStore();
  }

  elapse(ms: number): void {
    this.#nowMs += ms;
  }

  /** The part of a store that POP3 uses. */
  #makeStore(): Store {
    const mail: Partial<MailReader> = {
      mailbox: async (_account, name) => {
        await this.delay;
        if (this.broken !== undefined) throw this.broken;
        assert.equal(name, 'INBOX');
        const messages = this.#messages.length;
        return { id: INBOX, uidValidity: 77, messages } as Mailbox;
      },
      messages: (_id, [range], { limit }) => {
        const [from, to] = range ?? [0, 0];
        const rows = this.#messages.filter(({ uid }) => uid >= from && uid <= to).slice(0, limit);
        return rows.map(({ uid, text }) => rowOf(uid, text));
      },
      octets: (content, from, length) => {
        const text = this.#messages.find(({ uid }) => uid === Number(content))?.text ?? '';
        return fromLatin1(text).subarray(from, from + length);
      },
    };
    const write = async (operation: string, input: { uids: UidRanges; onlyDeleted: boolean }) => {
      if (this.broken !== undefined) throw this.broken;
      assert.equal(operation, 'expunge');
      assert.equal(input.onlyDeleted, false);
      this.expunged.push(input.uids);
      this.#messages = this.#messages.filter(
        ({ uid }) => !input.uids.some(([from, to]) => uid >= from && uid <= to),
      );
      return { durable: Durable.committed(1), result: { kind: 'expunged', uids: [] } };
    };
    return { mail, write } as unknown as Store;
  }
}

function rowOf(uid: number, text: string): Message {
  const headBytes = text.indexOf('\r\n\r\n') + 4;
  const ids = { uid: uid as Uid, mailbox: INBOX, content: uid as ContentId, modSeq: 1 as ModSeq };
  const times = { internalDateMs: 0, savedMs: 0 };
  return {
    ...ids,
    ...times,
    flags: [],
    sizeBytes: text.length,
    headBytes,
    emailId: '',
    threadId: '',
  };
}

async function makeSite(messages: readonly string[]): Promise<TestSite> {
  const random = { bytes: (length: number) => new Uint8Array(length).fill(5) };
  return new TestSite(messages, await hashPassword('secret', random, { hash: countedHash }));
}

/** Lets everything that waits for nothing but its turn go on. */
async function turns(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
