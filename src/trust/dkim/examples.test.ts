/** The examples of RFC 6376 (3.4, appendix A) and RFC 8463 (appendix A), to the octet. */

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import { hashBody } from './body.ts';
import { SignedHead } from './header.ts';
import { keyRecord } from './keys.ts';
import { type Zone, digestOf, lines, verified } from './testing.ts';

const RSA =
  'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16' +
  'JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2Ee' +
  'C3Ip3G+2kryOTIKT+l/K4w3QIDAQAB';
const BODY = lines('Hi.', '', 'We lost the game.  Are you hungry yet?', '', 'Joe.');

const RFC6376_ZONE: Zone = {
  'brisbane._domainkey.example.com': [
    'v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt' +
      'IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuK' +
      'hitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB',
  ],
};

/** The page shows other white space than was signed: six blanks at a fold, one after a full stop. */
const RFC6376_MESSAGE =
  lines(
    'DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;',
    '      c=simple/simple; q=dns/txt; i=joe@football.example.com;',
    '      h=Received : From : To : Subject : Date : Message-ID;',
    '      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    '      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB',
    '      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut',
    '      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV',
    '      4bmp/YzhwvcubU4=;',
    'Received: from client1.football.example.com  [192.0.2.1]',
    '      by submitserver.example.com with SUBMISSION;',
    '      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)',
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
    '',
  ) + BODY.replace('game.  Are', 'game. Are');

const RFC8463_ZONE: Zone = {
  'brisbane._domainkey.football.example.com': [
    'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
  ],
  'test._domainkey.football.example.com': [`v=DKIM1; k=rsa; p=${RSA}`],
};

const RFC8463_MESSAGE =
  lines(
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
    ' subject : date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
    ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=test; t=1528637909; h=from : to : subject :',
    ' date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3',
    ' DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz',
    ' dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=',
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
    '',
  ) + BODY;

test('RFC 8463 appendix A: both signatures verify, a changed word breaks both', async () => {
  const good = await verified(RFC8463_MESSAGE, RFC8463_ZONE);
  assert.deepEqual(
    good.results.map(({ status, algorithm, keyBits }) => [status, algorithm, keyBits]),
    [
      ['pass', 'ed25519-sha256', 256],
      ['pass', 'rsa-sha256', 1_024],
    ],
  );
  const bad = await verified(RFC8463_MESSAGE.replace('dinner', 'supper'), RFC8463_ZONE);
  assert.deepEqual(
    bad.results.map(({ status, reason }) => `${status}: ${reason}`),
    Array(2).fill('fail: the signature does not fit the header'),
  );
  const added = await verified(`${RFC8463_MESSAGE}PS\r\n`, RFC8463_ZONE);
  assert.deepEqual(
    added.results.map(({ reason }) => reason),
    Array(2).fill('the body was changed'),
  );
});

test('RFC 8463 appendix A: the published record of its RSA key is ours', () => {
  const [, spki] = /p=(.*)$/.exec(RFC8463_ZONE['test._domainkey.football.example.com']![0]!)!;
  assert.equal(spki, RSA);
  const seed = Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64');
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  assert.equal(keyRecord(key), RFC8463_ZONE['brisbane._domainkey.football.example.com']![0]);
});

test('RFC 6376 appendix A: the signed example', async () => {
  const { results } = await verified(RFC6376_MESSAGE, RFC6376_ZONE);
  assert.deepEqual(
    results.map(({ status, reason }) => [status, reason]),
    [['pass', 'the signature is right']],
  );
});

const EXAMPLE = { head: 'A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n', body: ' C \r\nD \t E\r\n\r\n\r\n' };

test('RFC 6376 3.4.5: the forms of header and body', () => {
  const head = new SignedHead(fromLatin1(EXAMPLE.head));
  assert.equal(head.covered(['a', 'b'], 'relaxed'), 'a:X\r\nb:Y Z\r\n');
  assert.equal(head.covered(['a', 'b'], 'simple'), 'A: X\r\nB : Y\t\r\n\tZ  \r\n');
  for (const [canon, form] of [
    ['relaxed', ' C\r\nD E\r\n'],
    ['simple', ' C \r\nD \t E\r\n'],
  ] as const) {
    const whole = { canon, lengthBytes: undefined };
    assert.equal(digestOf(EXAMPLE.body, whole), digestOf(form, whole));
    assert.equal(hashBody(fromLatin1(EXAMPLE.body), [whole]).totalBytes[canon], form.length);
  }
});

test('RFC 6376 3.4.3, 3.4.4: the hashes of an empty body', () => {
  const [simple, relaxed] = [
    { canon: 'simple', lengthBytes: undefined } as const,
    { canon: 'relaxed', lengthBytes: undefined } as const,
  ];
  for (const body of ['', '\r\n', '\r\n\r\n\r\n']) {
    assert.equal(digestOf(body, simple), 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=');
    assert.equal(digestOf(body, relaxed), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  }
});
