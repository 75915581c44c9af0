/** Dialogues: each is a transcript, played whole and octet by octet. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Secure } from '#base/secure.ts';
import type { SmtpServerOptions } from './options.ts';
import { lines, play, Session, TEST_TLS, type TestHost } from './transcript.test.ts';

interface Row {
  readonly what: string;
  readonly options?: Partial<SmtpServerOptions>;
  readonly tls?: Secure;
  readonly host?: TestHost;
  readonly script: string;
}

const GREETED = `
  S: 220 mx.test ESMTP
  C: EHLO client.test
  S: 250-mx.test
  S: 250-8BITMIME
  S: 250-BINARYMIME
  S: 250-CHUNKING
  S: 250-DSN
  S: 250-ENHANCEDSTATUSCODES
  S: 250-LIMITS RCPTMAX=1000
  S: 250-PIPELINING
  S: 250-SIZE 52428800
  S: 250 SMTPUTF8`;

const rows: Row[] = [
  {
    what: 'one message',
    script: `${GREETED}
      C: MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME
      S: 250 2.1.0 Sender OK
      C: RCPT TO:<c@d.test> NOTIFY=NEVER
      S: 250 2.1.5 Recipient OK
      C: DATA
      S: 354 ...
      C: Subject: hello
      C:
      C: ..a dot
      C: .
      S: 250 2.0.0 Accepted as Q1
      C: QUIT
      S: 221 2.0.0 Bye
      CLOSED`,
  },
  {
    what: 'everything in one packet, content too, and the next command after it',
    script: `
      S: 220 ...
      C: HELO client.test
      C: MAIL FROM:<>
      C: RCPT TO:<c@d.test>
      C: RCPT TO:<Postmaster>
      C: DATA
      C: text
      C: .
      C: MAIL FROM:<a@b.test>
      C: RSET
      C: NOOP whatever
      C: QUIT
      S: 250 mx.test
      S: 250 2.1.0 Sender OK
      S: 250 2.1.5 Recipient OK
      S: 250 2.1.5 Recipient OK
      S: 354 ...
      S: 250 2.0.0 Accepted as Q1
      S: 250 2.1.0 Sender OK
      S: 250 2.0.0 OK
      S: 250 2.0.0 OK
      S: 221 2.0.0 Bye
      CLOSED`,
  },
  {
    what: 'wrong order',
    script: `
      S: 220 ...
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 Say hello first
      C: EHLO
      S: 501 5.5.4 ...
      C: HELO client.test
      S: 250 mx.test
      C: RCPT TO:<c@d.test>
      S: 503 5.5.1 MAIL comes first
      C: DATA
      S: 503 5.5.1 MAIL comes first
      C: MAIL FROM:<a@b.test>
      S: 250 ...
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 A transaction is open; RSET ends it
      C: DATA
      S: 503 5.5.1 RCPT comes first
      C: RCPT TO:<c@d.test>
      S: 250 ...
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 A transaction is open; RSET ends it
      C: HELO again.test
      S: 250 mx.test
      C: DATA
      S: 503 5.5.1 MAIL comes first
      C: QUIT now
      S: 501 5.5.4 ...
      C: LHLO x
      S: 500 5.5.1 Unknown command
      C: XYZZY
      S: 500 5.5.1 Unknown command
      C:
      S: 500 5.5.2 ...
      C: STARTTLS
      S: 502 5.5.1 TLS is not offered here
      C: AUTH PLAIN
      S: 503 5.5.1 Authentication is not offered here
      C: DATA x
      S: 503 ...
      C: RSET x
      S: 501 5.5.4 ...`,
  },
  {
    what: 'VRFY, EXPN, HELP say the same to everyone',
    script: `
      S: 220 ...
      C: VRFY alice
      S: 252 2.1.5 Names are not verified; send mail and delivery will be tried
      C: VRFY nobody@nowhere.test
      S: 252 2.1.5 Names are not verified; send mail and delivery will be tried
      C: VRFY jos\u00e9 SMTPUTF8
      S: 252 2.1.5 Names are not verified; send mail and delivery will be tried
      C: EXPN staff
      S: 502 5.5.1 Lists are not expanded here
      C: VRFY
      S: 501 5.5.4 An argument is missing
      C: VRFY a\x01b
      S: 501 5.5.4 The argument has control characters or is not UTF-8
      C: HELP me
      S: 214-2.0.0 Commands...
      S: 214 2.0.0 Mail to postmaster reaches a person`,
  },
  {
    what: 'STARTTLS forgets everything',
    options: { startTls: true, mode: 'submission' },
    script: `
      S: 220 ...
      C: EHLO client.test
      S: 250-mx.test
      S: 250-8BITMIME
      S: 250-BINARYMIME
      S: 250-CHUNKING
      S: 250-DSN
      S: 250-ENHANCEDSTATUSCODES
      S: 250-LIMITS RCPTMAX=1000
      S: 250-PIPELINING
      S: 250-SIZE 52428800
      S: 250-SMTPUTF8
      S: 250 STARTTLS
      C: MAIL FROM:<a@b.test>
      S: 530 5.7.0 Issue a STARTTLS command first
      C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
      S: 538 5.7.11 Encryption is required for authentication
      C: STARTTLS x
      S: 501 5.5.4 ...
      C: STARTTLS
      S: 220 2.0.0 Ready to start TLS
      TLS
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 Say hello first
      C: EHLO client.test
      S: 250-mx.test
      S: 250-8BITMIME
      S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
      S: 250-BINARYMIME
      S: 250-CHUNKING
      S: 250-DSN
      S: 250-ENHANCEDSTATUSCODES
      S: 250-LIMITS RCPTMAX=1000
      S: 250-PIPELINING
      S: 250-REQUIRETLS
      S: 250-SIZE 52428800
      S: 250 SMTPUTF8
      C: STARTTLS
      S: 503 5.5.1 TLS is active already
      C: MAIL FROM:<a@b.test>
      S: 530 5.7.0 Authentication required
      C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
      S: 235 2.7.0 Authentication successful
      C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
      S: 503 5.5.1 Already authenticated
      C: MAIL FROM:<a@b.test> AUTH=<>
      S: 250 2.1.0 Sender OK`,
  },
  {
    what: 'AUTH, every way to fail',
    options: { mode: 'submission', limits: { failedLogins: 3 } },
    tls: TEST_TLS,
    script: `
      S: 220 ...
      C: AUTH PLAIN
      S: 503 5.5.1 Say hello first
      C: HELO x
      S: 250 mx.test
      C: AUTH
      S: 501 5.5.4 ...
      C: AUTH CRAM-MD5
      S: 504 5.5.4 ...
      C: AUTH PLAIN a b
      S: 501 5.5.4 ...
      C: AUTH PLAIN =
      S: 501 5.5.2 ...
      C: AUTH PLAIN !!!!
      S: 501 5.5.2 ...
      C: AUTH PLAIN
      S: 334 
      C: *
      S: 501 5.7.0 Authentication cancelled
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: YWxpY2U=
      S: 334 UGFzc3dvcmQ6
      C: c2VjcmV0MQ==
      S: 535 5.7.8 ...
      C: AUTH LOGIN YWxpY2U=
      S: 334 UGFzc3dvcmQ6
      C: c2VjcmV0MQ==
      S: 535 5.7.8 ...
      C: AUTH SCRAM-SHA-256 eCwsbj11c2VyLHI9YWJjZGVmZ2g=
      S: 501 5.5.2 ...
      C: AUTH plain AGFsaWNlAHdyb25n
      S: 421 4.7.0 Too many failed logins, closing the connection
      CLOSED`,
  },
  {
    what: 'LMTP: a reply for each recipient',
    options: { mode: 'lmtp' },
    script: `
      S: 220 mx.test LMTP
      C: EHLO x
      S: 500 5.5.1 ...
      C: LHLO x
      S: 250-mx.test
      S: 250-8BITMIME
      S: 250-BINARYMIME
      S: 250-CHUNKING
      S: 250-DSN
      S: 250-ENHANCEDSTATUSCODES
      S: 250-LIMITS RCPTMAX=1000
      S: 250-PIPELINING
      S: 250-SIZE 52428800
      S: 250 SMTPUTF8
      C: MAIL FROM:<a@b.test>
      C: RCPT TO:<c@d.test>
      C: RCPT TO:<e@d.test>
      C: DATA
      S: 250 ...
      S: 250 ...
      S: 250 ...
      S: 354 ...
      C: text
      C: .
      S: 250 2.0.0 Accepted as Q1
      S: 250 2.0.0 Accepted as Q1
      C: MAIL FROM:<a@b.test>
      C: RCPT TO:<c@d.test>
      C: RCPT TO:<e@d.test>
      C: BDAT 0 LAST
      S: 250 ...
      S: 250 ...
      S: 250 ...
      S: 250 2.0.0 Accepted as Q1
      S: 250 2.0.0 Accepted as Q1`,
  },
  {
    what: 'another protocol',
    script: `
      S: 220 ...
      C: GET / HTTP/1.1
      C: Host: mx.test
      C:
      C: HELO x
      S: 421 4.7.0 This is a mail server, closing the connection
      CLOSED`,
  },
  {
    what: 'a proxy header from a stranger',
    script: `
      S: 220 ...
      C: PROXY TCP4 192.0.2.1 192.0.2.2 1 2
      S: 421 4.7.0 ...
      CLOSED`,
  },
  {
    what: 'a TLS client on a plain port',
    script: `
      S: 220 ...
      C: \x16\x03\x01\x02
      S: 421 4.7.0 ...
      CLOSED`,
  },
  {
    what: 'too many recipients',
    options: { limits: { recipients: 2, transactions: 2 } },
    script: `
      S: 220 ...
      C: HELO x
      S: 250 mx.test
      C: MAIL FROM:<a@b.test>
      C: RCPT TO:<1@d.test>
      C: RCPT TO:<2@d.test>
      C: RCPT TO:<3@d.test>
      C: RSET
      C: MAIL FROM:<a@b.test>
      C: RSET
      C: MAIL FROM:<a@b.test>
      S: 250 ...
      S: 250 ...
      S: 250 ...
      S: 452 4.5.3 ...
      S: 250 ...
      S: 250 ...
      S: 250 ...
      S: 421 4.7.0 ...
      CLOSED`,
  },
];

describe('SMTP server dialogues', () => {
  for (const { what, options, tls, host, script } of rows) {
    it(what, () => {
      for (const size of [Infinity, 1, 2, 7]) {
        const session = new Session(options, host, tls);
        assert.equal(play(script, session, size), lines(script).join('\n'), `pieces of ${size}`);
      }
    });
  }

  it('hands over the message without stuffing, and the parameters decoded', () => {
    const session = new Session();
    play(rows[0]!.script, session);
    assert.deepEqual(session.messages, ['Subject: hello\r\n\r\n.a dot\r\n']);
    const mail = session.questions.find((one) => one.kind === 'mail');
    assert.deepEqual(mail?.parameters.body, '8bitmime');
    assert.equal(mail?.parameters.sizeBytes, 10);
    const rcpt = session.questions.find((one) => one.kind === 'rcpt');
    assert.deepEqual(rcpt?.parameters.notify, []);
  });
});
