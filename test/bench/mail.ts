/** Mail for the mailboxes: the same every time, about 2 KiB each. */

const WORDS =
  `alpha beta gamma delta report invoice meeting server mail queue relay header body signed policy
  domain lookup answer garden window`.split(/\s+/);
const LINES = 22;
const WORDS_A_LINE = 11;
const EPOCH_MS = 1_760_000_000_000;

/** Message `number`; one subject in 50 has `quarterly`, one body in 100 `zanzibar`. */
export function message(number: number): string {
  const word = chance(number + 1);
  const words = (count: number): string =>
    Array.from({ length: count }, () => WORDS[word() % WORDS.length]).join(' ');
  const subject = `${words(5)}${number % 50 === 0 ? ' quarterly' : ''} ${number}`;
  const lines = Array.from({ length: LINES }, () => words(WORDS_A_LINE));
  if (number % 100 === 0) lines.push('zanzibar');
  const date = new Date(EPOCH_MS + number * 60_000).toUTCString().replace('GMT', '+0000');
  return `Received: from a.test (a.test [192.0.2.1]) by mx.bench.test with ESMTP id ${number};\r
 ${date}\r
From: Sender ${number % 97} <s${number % 97}@sender.example>\r
To: User <u0@bench.test>\r
Subject: ${subject}\r
Date: ${date}\r
Message-ID: <${number}.x@sender.example>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
${lines.join('\r\n')}\r
`;
}

/** Numbers that look random and are the same for the same seed (xorshift). */
function chance(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
