/** The examples that RFC 6376 (3.4, appendix A) and RFC 8463 (appendix A) print, as a suite. */

import { fromLatin1 } from '#base/bytes.ts';
import { type Canon, SignedHead } from '#trust/dkim/header.ts';
import { type Zone, digestOf, lines, verified } from '#trust/dkim/testing.ts';
import type { Suite, SuiteResult } from './suite.ts';

export interface DkimCase {
  readonly name: string;
  readonly wanted: string;
  readonly run: () => string | Promise<string>;
}

export const dkimSuite: Suite = {
  name: 'dkim',
  origin: 'the examples of RFC 6376 and RFC 8463',
  run: () => runCases(CASES),
};

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

export const RFC8463_ZONE: Zone = {
  'brisbane._domainkey.football.example.com': [
    'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
  ],
  'test._domainkey.football.example.com': [`v=DKIM1; k=rsa; p=${RSA}`],
};

export const RFC8463_MESSAGE =
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

const EMPTY_SIMPLE = 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=';
const EMPTY_RELAXED = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const EXAMPLE_HEAD = 'A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n';
const EXAMPLE_BODY = ' C \r\nD \t E\r\n\r\n\r\n';

export const CASES: readonly DkimCase[] = [
  {
    name: 'RFC 6376 appendix A.2',
    wanted: 'pass',
    run: () => statuses(RFC6376_MESSAGE, RFC6376_ZONE),
  },
  {
    name: 'RFC 8463 appendix A.3',
    wanted: 'pass pass',
    run: () => statuses(RFC8463_MESSAGE, RFC8463_ZONE),
  },
  {
    name: 'RFC 8463 appendix A.3, Ed25519 alone',
    wanted: 'pass permerror',
    run: () => statuses(RFC8463_MESSAGE, without('test._domainkey.football.example.com')),
  },
  {
    name: 'RFC 8463 appendix A.3, RSA alone',
    wanted: 'permerror pass',
    run: () => statuses(RFC8463_MESSAGE, without('brisbane._domainkey.football.example.com')),
  },
  {
    name: 'RFC 6376 3.4.3, an empty body',
    wanted: EMPTY_SIMPLE,
    run: () => bodyHash('', 'simple'),
  },
  {
    name: 'RFC 6376 3.4.4, an empty body',
    wanted: EMPTY_RELAXED,
    run: () => bodyHash('', 'relaxed'),
  },
  {
    name: 'RFC 6376 3.4.5, relaxed header',
    wanted: 'a:X\r\nb:Y Z\r\n',
    run: () => covered('relaxed'),
  },
  {
    name: 'RFC 6376 3.4.5, simple header',
    wanted: 'A: X\r\nB : Y\t\r\n\tZ  \r\n',
    run: () => covered('simple'),
  },
  {
    name: 'RFC 6376 3.4.5, relaxed body',
    // Of <SP>C<CRLF>D<SP>E<CRLF>.
    wanted: 'unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo=',
    run: () => bodyHash(EXAMPLE_BODY, 'relaxed'),
  },
  {
    name: 'RFC 6376 3.4.5, simple body',
    // Of <SP>C<SP><CRLF>D<SP><HTAB><SP>E<CRLF>.
    wanted: 'NOeivbQlDH9TmNKJUw7D53wZfsk8YMZ/hTuVVwTgi8s=',
    run: () => bodyHash(EXAMPLE_BODY, 'simple'),
  },
];

/** Runs cases; a case fails when it gives something else than is wanted. */
export async function runCases(cases: readonly DkimCase[]): Promise<SuiteResult> {
  const failures: string[] = [];
  let passed = 0;
  for (const { name, wanted, run } of cases) {
    const given = await run();
    if (given === wanted) passed++;
    else failures.push(`${name}: ${JSON.stringify(given)}, not ${JSON.stringify(wanted)}`);
  }
  return { passed, failures };
}

async function statuses(message: string, zone: Zone): Promise<string> {
  const { results } = await verified(message, zone);
  return results.map(({ status }) => status).join(' ');
}

function without(name: string): Zone {
  return Object.fromEntries(Object.entries(RFC8463_ZONE).filter(([key]) => key !== name));
}

function bodyHash(body: string, canon: Canon): string {
  return digestOf(body, { canon, lengthBytes: undefined }) ?? '';
}

function covered(canon: Canon): string {
  return new SignedHead(fromLatin1(EXAMPLE_HEAD)).covered(['a', 'b'], canon);
}
