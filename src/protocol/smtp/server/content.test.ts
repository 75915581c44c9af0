/** Group S1-S4 of the attack list: where content ends, and what must never be read as a command. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, constantFrom, integer, property } from 'fast-check';
import { Failure } from '#base/failure.ts';
import type { SmtpServerOptions } from './options.ts';
import { openHost, Session, type TestHost } from './transcript.test.ts';

const OPEN = 'EHLO client.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';
const SECOND = 'MAIL FROM:<evil@b.test>\r\nRCPT TO:<victim@d.test>\r\nDATA\r\nsmuggled\r\n.\r\n';

/** Refuses every content. */
const refusing: TestHost = (question, server) =>
  question.kind === 'data'
    ? { kind: 'refuse', reply: { code: 452, enhanced: '4.3.1', lines: ['no room'] } }
    : openHost(question, server);

/** Plays input cut at the places given; the session afterwards. */
function run(
  input: string,
  cuts: readonly number[] | 'bytes' | 'whole',
  options?: Partial<SmtpServerOptions>,
  host?: TestHost,
): Session {
  const session = new Session(options, host);
  if (cuts === 'bytes') for (const octet of input) session.receive(octet);
  else if (cuts === 'whole') session.receive(input);
  else {
    let from = 0;
    for (const cut of [...cuts, input.length]) {
      if (cut > from) session.receive(input.slice(from, cut));
      from = Math.max(from, cut);
    }
  }
  return session;
}

/** Every way of cutting gives the same log; returns the session of the first. */
function anyhow(input: string, options?: Partial<SmtpServerOptions>, host?: TestHost): Session {
  const whole = run(input, 'whole', options, host);
  const cuts: (readonly number[] | 'bytes')[] = ['bytes'];
  for (let cut = 1; cut < input.length; cut++) cuts.push([cut]);
  for (const one of cuts) {
    const session = run(input, one, options, host);
    assert.deepEqual(session.log, whole.log, `cut ${one}`);
    assert.equal(session.sent, whole.sent, `cut ${one}`);
  }
  return whole;
}

describe('smuggling: no sequence makes two messages', () => {
  const rows: [sequence: string, codes: string][] = [
    ['\n.\n', '550'],
    ['\n.\r', '550'],
    ['\r.\n', '550'],
    ['\r.\r', '550'],
    ['\n.\r\n', '550'],
    ['\r.\r\n', '550'],
    ['\r\n.\n', '550'],
    ['\r\n.\r', '550'],
    ['\r\n.\r\r\n', '550'],
    ['\r\r\n.\r\n', '550'],
    ['\r\n.\0\r\n', '550'],
    ['\r\n\0.\r\n', '550'],
    ['\n\n.\r\n', '550'],
    ['\r\n..\r\n', '250'],
  ];
  for (const [sequence, code] of rows) {
    it(`${JSON.stringify(sequence)} -> ${code}`, () => {
      const session = anyhow(`${OPEN}DATA\r\nfirst${sequence}${SECOND}QUIT\r\n`);
      const closes = !sequence.includes('\0') && code === '550';
      assert.equal(session.codes, `220 250 250 250 354 ${code}${closes ? '' : ' 221'}`);
      assert.equal(session.messages.length, code === '250' ? 1 : 0);
      assert.equal(session.closed, true);
      assert.equal(session.questions.filter((one) => one.kind === 'mail').length, 1);
      if (code === '550')
        assert.match(session.sent, /^550 5\.6\.0 (Bare (CR|LF)|NUL) in the message/m);
    });
  }

  it('refuses bare line ends at a chunk border, also at the very end of a chunk', () => {
    for (const [content, code] of [
      ['a\r', '550'],
      ['\r', '550'],
      ['a\n', '550'],
    ] as const) {
      const session = run(`${OPEN}DATA\r\n`, 'whole');
      session.receive(content);
      session.receive(`b\r\n.\r\n`);
      assert.equal(session.codes, `220 250 250 250 354 ${code}`);
      assert.deepEqual(session.messages, []);
      assert.equal(session.closed, true);
    }
  });

  it('answers a client that takes the wrong end for the end, after a short wait', () => {
    for (const end of ['\n.\n', '\r\n.\n', '\r.\r', '\n.\r\n']) {
      const session = run(`${OPEN}DATA\r\nx${end}`, 'whole');
      assert.equal(session.deadlines.at(-1), 10_000, JSON.stringify(end));
      session.perform(session.server.expired());
      assert.match(session.sent, /550 5\.6\.0 Bare (CR|LF)[^\n]*\r\n$/);
      assert.equal(session.closed, true);
    }
    const patient = run(`${OPEN}DATA\r\nx\ny`, 'whole');
    assert.equal(patient.deadlines.at(-1), 185_000);
    patient.perform(patient.server.expired());
    assert.match(patient.sent, /421 4\.4\.2/);
  });
});

describe('DATA', () => {
  const rows: [content: string, message: string][] = [
    ['.\r\n', ''],
    ['\r\n.\r\n', '\r\n'],
    ['a\r\n.\r\n', 'a\r\n'],
    ['..\r\n.\r\n', '.\r\n'],
    ['...\r\n.\r\n', '..\r\n'],
    ['.a\r\n.b\r\n.\r\n', 'a\r\nb\r\n'],
    ['a.\r\n.\r\n', 'a.\r\n'],
    ['a\r\n..\r\n..\r\nb\r\n.\r\n', 'a\r\n.\r\n.\r\nb\r\n'],
    ['\xc3\xa9\xff\r\n.\r\n', '\xc3\xa9\xff\r\n'],
    ['\t \r\n.\r\n', '\t \r\n'],
  ];
  for (const [content, message] of rows) {
    it(JSON.stringify(content), () => {
      const session = anyhow(`${OPEN}DATA\r\n${content}NOOP\r\n`);
      assert.deepEqual(session.messages, [message]);
      assert.equal(session.codes, '220 250 250 250 354 250 250');
    });
  }

  it('gives back what was stuffed, whatever it is and however it is cut', () => {
    const line = array(constantFrom('.', 'a', ' ', '..', '\xe9'), { maxLength: 5 });
    assertProperty(
      property(array(line, { maxLength: 8 }), array(integer({ min: 0, max: 90 })), (text, cuts) => {
        const message = text.map((one) => `${one.join('')}\r\n`).join('');
        const stuffed = message.replace(/^\./gm, '..');
        const input = `${OPEN}DATA\r\n${stuffed}.\r\n`;
        const session = run(
          input,
          cuts.map((cut) => cut + 60).sort((a, b) => a - b),
        );
        assert.deepEqual(session.messages, [message]);
      }),
      { numRuns: 200 },
    );
  });

  it('hands over slices, not copies, where nothing is cut out', () => {
    const session = new Session();
    session.receive(`${OPEN}DATA\r\n`);
    const bytes = Buffer.from('a long line\r\n'.repeat(1000));
    const actions = session.server.receive(bytes);
    const body = actions.find((one) => one.kind === 'body');
    assert.equal(body?.bytes.buffer, bytes.buffer);
  });

  it('is refused as a whole when too large, after the end; far over: at once', () => {
    const options = { limits: { messageBytes: 100, excessBytes: 1000 } };
    const fits = anyhow(`${OPEN}DATA\r\n${'x'.repeat(98)}\r\n.\r\nNOOP\r\n`, options);
    assert.equal(fits.codes, '220 250 250 250 354 250 250');
    const over = anyhow(`${OPEN}DATA\r\n${'x'.repeat(99)}\r\n.\r\nNOOP\r\n`, options);
    assert.equal(over.codes, '220 250 250 250 354 552 250');
    assert.ok(over.log.includes(`dropped ${JSON.stringify(`${'x'.repeat(99)}\r`)}`));
    const far = anyhow(`${OPEN}DATA\r\n${'x'.repeat(1200)}\r\n.\r\nNOOP\r\n`, options);
    assert.equal(far.codes, '220 250 250 250 354 552');
    assert.equal(far.closed, true);
    const endless = anyhow(`${OPEN}DATA\r\n${'x'.repeat(99)}\r\n.\r\n`, {
      limits: { messageBytes: 0 },
    });
    assert.equal(endless.codes, '220 250 250 250 354 250');
  });

  it('has a limit for a line, to the octet', () => {
    const options = { limits: { contentLineBytes: 20 } };
    const fits = anyhow(`${OPEN}DATA\r\n${'x'.repeat(20)}\r\n.${'y'.repeat(20)}\r\n.\r\n`, options);
    assert.equal(fits.codes, '220 250 250 250 354 250');
    const over = anyhow(`${OPEN}DATA\r\n${'x'.repeat(21)}\r\nb\r\n.\r\nNOOP\r\n`, options);
    assert.equal(over.codes, '220 250 250 250 354 550 250');
    const both = anyhow(`${OPEN}DATA\r\n${'x'.repeat(21)}\n\r\n.\r\nNOOP\r\n`, options);
    assert.equal(both.codes, '220 250 250 250 354 550 250');
  });

  it('keeps memory flat: a line of 64 MiB passes through', () => {
    const session = new Session({ limits: { messageBytes: 0, contentLineBytes: 1e12 } });
    session.receive(`${OPEN}DATA\r\n`);
    const chunk = Buffer.alloc(65_536, 0x61);
    for (let count = 0; count < 1024; count++) {
      const [body] = session.server.receive(chunk);
      assert.equal(body?.kind === 'body' && body.bytes.length, 65_536);
      session.server.continue();
    }
    session.receive('\r\n.\r\n');
    assert.match(session.sent, /250 2\.0\.0 Accepted/);
  });

  it('content that comes before DATA was refused is no command', () => {
    const session = run('EHLO x\r\nDATA\r\nMAIL FROM:<evil@b.test>\r\n', 'whole');
    assert.equal(session.codes, '220 250 503');
    assert.equal(session.closed, true);
    assert.ok(
      session.facts.some((one) => one.kind === 'violation' && one.what === 'early-content'),
    );
  });

  it('a world that fails while content comes: the rest is thrown away, then 452 or 451', () => {
    for (const [code, said] of [
      ['disk-full', '452 4.3.1'],
      ['other', '451 4.3.0'],
    ] as const) {
      const session = new Session();
      session.receive(`${OPEN}DATA\r\n`);
      const actions = session.server.receive(Buffer.from('one\r\n'));
      assert.equal(actions[0]?.kind, 'body');
      session.perform(session.server.failed(Failure.temporary(code, 'no')));
      session.receive('MAIL FROM:<evil@b.test>\r\n.\r\nNOOP\r\n');
      assert.ok(session.sent.includes(`\r\n${said}`), session.sent);
      assert.equal(session.codes, `220 250 250 250 354 ${said.slice(0, 3)} 250`);
      assert.deepEqual(session.messages, []);
    }
  });

  it('slow content: only progress moves the deadline', () => {
    const session = run(`${OPEN}DATA\r\n`, 'whole');
    const before = session.deadlines.length;
    for (let count = 0; count < 1000; count++) session.receive('x');
    assert.equal(session.deadlines.length, before);
    session.receive('x'.repeat(24));
    assert.equal(session.deadlines.length, before + 1);
  });
});

describe('BDAT', () => {
  const rows: [what: string, input: string, codes: string, messages: string[]][] = [
    ['one chunk', `BDAT 4 LAST\r\nab\r\n`, '250', ['ab\r\n']],
    [
      'several',
      'BDAT 2\r\nabBDAT 0\r\nBDAT 3\r\nc\r\nBDAT 0 LAST\r\n',
      '250 250 250 250',
      ['abc\r\n'],
    ],
    ['dots are content', 'BDAT 5 LAST\r\n.\r\n\r\n', '250', ['.\r\n\r\n']],
    ['lower case, spaces', 'bdat  2   last \r\nab', '250', ['ab']],
    ['CR and LF in two chunks', 'BDAT 2\r\na\rBDAT 1 LAST\r\n\n', '250 250', ['a\r\n']],
    ['bare CR across chunks', 'BDAT 2\r\na\rBDAT 1 LAST\r\nbNOOP\r\n', '250 550 250', []],
    ['bare CR at the very end', 'BDAT 2\r\na\rBDAT 0 LAST\r\nNOOP\r\n', '250 550 250', []],
    ['bare LF', 'BDAT 3 LAST\r\na\nbNOOP\r\n', '550 250', []],
    [
      'bare LF, then more chunks',
      'BDAT 3\r\na\nbBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n',
      '550 503 250',
      [],
    ],
    ['NUL', 'BDAT 3 LAST\r\na\0bNOOP\r\n', '550 250', []],
    ['S4: octets that look like commands', 'BDAT 5\r\nab\r\nQUIT\r\nNOOP\r\n', '250 500 250', []],
    ['S4: negative', 'BDAT -1\r\nNOOP\r\n', '501 closed', []],
    ['S4: hexadecimal', 'BDAT 0x10\r\nNOOP\r\n', '501 closed', []],
    ['S4: 2^64', 'BDAT 18446744073709551616\r\nNOOP\r\n', '501 closed', []],
    ['no size', 'BDAT\r\nNOOP\r\n', '501 closed', []],
    ['17 digits', 'BDAT 99999999999999999\r\nNOOP\r\n', '', []],
    ['another word', 'BDAT 6 FIRST\r\nQUIT\r\nNOOP\r\n', '501 250', []],
    ['DATA after BDAT', 'BDAT 2\r\nabDATA\r\nNOOP\r\n', '250 503 closed', []],
    [
      'MAIL and RCPT after BDAT',
      'BDAT 2\r\nabMAIL FROM:<a@b.test>\r\nRCPT TO:<a@b.test>\r\nBDAT 0 LAST\r\n',
      '250 503 503 250',
      ['ab'],
    ],
    ['RSET after BDAT', 'BDAT 2\r\nabRSET\r\nMAIL FROM:<a@b.test>\r\n', '250 250 250', []],
    ['BDAT after LAST', 'BDAT 2 LAST\r\nabBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n', '250 503 250', ['ab']],
  ];
  for (const [what, input, codes, messages] of rows) {
    it(what, () => {
      const early = what === 'DATA after BDAT';
      const session = early ? run(OPEN + input, 'whole') : anyhow(OPEN + input);
      const expected = `220 250 250 250 ${codes.replace(' closed', '')}`.trim();
      assert.equal(session.codes, expected);
      assert.deepEqual(session.messages, messages);
      assert.equal(session.closed, codes.endsWith('closed'));
      assert.ok(!session.sent.includes('221'));
    });
  }

  it('before MAIL, before RCPT and refused by the host: the octets are thrown away', () => {
    const chunks = 'BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n';
    assert.equal(anyhow(chunks).codes, '220 503 503 250');
    assert.equal(anyhow(`EHLO x\r\n${chunks}`).codes, '220 250 503 503 250');
    const noRcpt = anyhow(`EHLO x\r\nMAIL FROM:<>\r\n${chunks}`);
    assert.equal(noRcpt.codes, '220 250 250 503 503 250');
    const refused = anyhow(OPEN + chunks, {}, refusing);
    assert.equal(refused.codes, '220 250 250 250 452 503 250');
    assert.equal(refused.facts.filter((one) => one.kind === 'transaction-dropped').length, 1);
  });

  it('before TLS where TLS is required', () => {
    const session = anyhow('EHLO x\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n', { requireTls: true });
    assert.equal(session.codes, '220 250 530 250');
  });

  it('binary content is taken as it is, and needs BDAT', () => {
    const open = OPEN.replace('b.test>', 'b.test> BODY=BINARYMIME');
    const session = anyhow(`${open}BDAT 6 LAST\r\n\n\r\0\r.\n`);
    assert.deepEqual(session.messages, ['\n\r\0\r.\n']);
    const data = anyhow(`${open}DATA\r\n`);
    assert.equal(data.codes, '220 250 250 250 503');
  });

  it('is measured over all chunks', () => {
    const options = { limits: { messageBytes: 10, excessBytes: 100 } };
    const over = anyhow(`${OPEN}BDAT 6\r\nabcdefBDAT 6 LAST\r\nghijklNOOP\r\n`, options);
    assert.equal(over.codes, '220 250 250 250 250 552 250');
    const announced = anyhow(`${OPEN}BDAT 5000\r\nabcdef`, options);
    assert.equal(announced.codes, '220 250 250 250');
    const unwanted = anyhow('EHLO x\r\nBDAT 5000\r\nabcdef', options);
    assert.equal(unwanted.codes, '220 250 503');
    assert.equal(unwanted.closed, true);
  });

  it('a connection that ends in a chunk stores nothing', () => {
    const session = run(`${OPEN}BDAT 10 LAST\r\nabc`, 'whole');
    session.perform(session.server.ended());
    assert.deepEqual(session.messages, []);
    assert.deepEqual(session.facts.at(-1), { kind: 'transaction-dropped' });
    assert.equal(session.closed, true);
  });
});
