/** The 22 cases of espoofer on a running server, unsigned and signed by the attacker. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { HOME, Target, letter } from '../world/stranger.ts';

const ATTACKER = '198.51.100.66';
const LEGIT = 'admin@legit.test';
const SECOND = 'second@attack.test';
const key = testKey('rsa-sha256', 'attack.test', 'selector', 2_048);

let target: Target;

before(async () => {
  target = await Target.start({
    'legit.test': { txt: ['v=spf1 ip4:192.0.2.1 -all'] },
    '_dmarc.legit.test': { txt: ['v=DMARC1; p=reject'] },
    // What the attacker owns is in order: that is what makes it dangerous.
    'attack.test': { txt: [`v=spf1 ip4:${ATTACKER} -all`] },
    '_dmarc.attack.test': { txt: ['v=DMARC1; p=none'] },
    'selector._domainkey.attack.test': { txt: [chunks(key.record)] },
  });
});

after(() => target.stop());

interface Case {
  readonly name: string;
  readonly sender?: string;
  readonly helo?: string;
  /** The fields that say who it is from. */
  readonly from: readonly string[];
  /** Made of the attacker's signature. */
  readonly bend?: (message: string) => string;
  /** What the server says; or that it is shown as what it is. */
  readonly expect: RegExp | 'as the attacker';
}

const FROM = `From: <${LEGIT}>`;
const OURS = 'attacker@attack.test';
const BROKEN = /^550 5\.6\.0/;
const REFUSED = /^550 5\.7\.1/;
const SYNTAX = /^50[01]/;

const CASES: readonly Case[] = [
  {
    name: 'a1 a sender and a From below, which do not exist',
    sender: 'any@no.legit.test',
    from: ['From: <admin@no.legit.test>'],
    expect: REFUSED,
  },
  {
    name: 'a2 an odd sender',
    sender: '(any@legit.test',
    helo: 'attack.test',
    from: [FROM],
    expect: SYNTAX,
  },
  {
    name: 'a3 NUL in s=',
    sender: OURS,
    from: [FROM],
    bend: (message) =>
      message
        .replace('d=attack.test;', 'd=legit.test;')
        .replace('s=selector;', 's=selector._domainkey.attack.test.\0.any;'),
    expect: /^550 5\.(6\.0 NUL|7\.1)/,
  },
  {
    name: 'a4 a quote in d=',
    sender: OURS,
    from: [FROM],
    bend: (message) => message.replace('d=attack.test', "d=legit.test'a.attack.test"),
    expect: REFUSED,
  },
  {
    name: 'a5 a comment in MAIL',
    sender: 'any@legit.test(a.attack.test',
    from: [FROM],
    expect: SYNTAX,
  },
  {
    name: 'a6 a quote in MAIL',
    sender: "any@legit.test'@a.attack.test",
    from: [FROM],
    expect: SYNTAX,
  },
  {
    name: 'a7 a route in MAIL',
    sender: "@legit.test,@any.test:'any@attack.test",
    from: [FROM],
    expect: REFUSED,
  },
  { name: 'a8 two From', sender: OURS, from: [`From: <${OURS}>`, FROM], expect: BROKEN },
  {
    name: 'a9 a blank before From',
    sender: OURS,
    from: [` From: <${LEGIT}>`, `From: <${OURS}>`],
    bend: firstLineFirst,
    expect: BROKEN,
  },
  {
    name: 'a10 a blank after From',
    sender: OURS,
    from: [`From : <${LEGIT}>`, `From: <${OURS}>`],
    expect: BROKEN,
  },
  {
    name: 'a11 From folded',
    sender: OURS,
    from: ['From\r\n : <admin@legit.test>', `From: <${OURS}>`],
    expect: BROKEN,
  },
  {
    name: 'a12 Sender of the attacker',
    sender: OURS,
    from: [FROM, `Sender: <${OURS}>`],
    expect: REFUSED,
  },
  {
    name: 'a13 Resent-From of the attacker',
    sender: OURS,
    from: [FROM, `Resent-From: <${OURS}>`],
    expect: REFUSED,
  },
  {
    name: 'a14 two addresses',
    sender: OURS,
    from: [`From: <${LEGIT}>, <${OURS}>`],
    expect: BROKEN,
  },
  {
    name: 'a15 an encoded address',
    sender: OURS,
    from: ['From: =?utf-8?B?PGFkbWluQGxlZ2l0LnRlc3Q+?='],
    expect: BROKEN,
  },
  {
    name: 'a15 and one of the attacker',
    sender: OURS,
    from: [`From: =?utf-8?B?PGFkbWluQGxlZ2l0LnRlc3Q+?= <${OURS}>`],
    expect: 'as the attacker',
  },
  {
    name: 'a16 a route in From',
    sender: OURS,
    from: [`From: <@attack.test,@any.test:${LEGIT}>`],
    expect: BROKEN,
  },
  {
    name: 'a17 an escaped comma',
    sender: OURS,
    from: [`From: <${LEGIT}>\\,<${SECOND}>`],
    expect: BROKEN,
  },
  {
    name: 'a18 a bare address first',
    sender: OURS,
    from: [`From: ${LEGIT},<${SECOND}>`],
    expect: BROKEN,
  },
  {
    name: 'a19 an address behind',
    sender: OURS,
    from: [`From: <${OURS}>${LEGIT}`],
    expect: BROKEN,
  },
];

for (const one of CASES) {
  for (const kind of ['unsigned', 'signed for the attacker'] as const) {
    test(`${one.name}, ${kind}`, async () => {
      const { sender = OURS, helo = 'attack.test', from, bend, expect } = one;
      const subject = `${one.name} ${kind}`;
      const whole = letter([...from, `To: <ann@${HOME}>`, `Subject: ${subject}`]);
      const made = kind === 'unsigned' ? whole : signed(whole, key, { atMs: Date.now() });
      const bent = bend === undefined || kind === 'unsigned' ? made : bend(made);
      if (bend !== undefined && kind !== 'unsigned') assert.notEqual(bent, made);
      const said = await target.deliver({ ip: ATTACKER, helo, sender, message: bent });
      if (expect instanceof RegExp) {
        assert.match(said, expect);
        assert.ok(!(await target.mailbox()).includes(`Subject: ${subject}\r\n`));
        return;
      }
      assert.match(said, /^250/);
      const text = (await target.mailbox()).split('FETCH').find((part) => part.includes(subject));
      const results = /^Authentication-Results: .*(?:\r\n[ \t].*)*/m.exec(text ?? '')?.[0] ?? '';
      // It is the attacker's own mail, whatever its display name; nothing says legit.test.
      assert.match(results, /dmarc=pass\s.*header\.from=attack\.test/s);
      assert.doesNotMatch(results, /legit/);
    });
  }
}

for (const [name, from] of [
  ['c1 two From', [`From: ben@${HOME}`, FROM]],
  ['c2 two addresses', [`From: <ben@${HOME}>, <ann@${HOME}>`]],
  ['c3 somebody else', [`From: <ann@${HOME}>`]],
] as const) {
  test(`${name}, from a user who logged in`, async () => {
    const message = letter([...from, `Subject: ${name}`]);
    assert.match(await target.submit('ben', `ann@${HOME}`, message), /^55[03] 5\.[67]\.[01]/);
    assert.ok(!(await target.mailbox()).includes(`Subject: ${name}\r\n`));
  });
}

test('the controls: the attacker as himself, the domain itself, and without any check', async () => {
  const own = signed(letter([`From: <${OURS}>`, 'Subject: honest']), key, { atMs: Date.now() });
  assert.match(await target.deliver({ ip: ATTACKER, sender: OURS, message: own }), /^250/);
  const legit = letter([FROM, 'Subject: truly legit']);
  assert.match(await target.deliver({ ip: '192.0.2.1', sender: LEGIT, message: legit }), /^250/);
  assert.match(await target.mailbox(), /dmarc=pass\s+\(aligned by spf of legit\.test/);
  const open = await Target.start({}, 'verify_senders = false');
  try {
    const spoof = letter([FROM, 'Subject: nobody looked']);
    assert.match(await open.deliver({ ip: ATTACKER, sender: OURS, message: spoof }), /^250/);
  } finally {
    await open.stop();
  }
});

function chunks(text: string): string[] {
  return text.match(/.{1,250}/g) ?? [];
}

/** The line that begins with a blank before the signature, not as the end of it. */
function firstLineFirst(message: string): string {
  const line = ` From: <${LEGIT}>\r\n`;
  return line + message.replace(line, '');
}
