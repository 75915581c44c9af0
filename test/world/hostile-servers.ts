/** Servers that only mean harm to whoever talks to them: floods, trickles, lies, and silence. */

import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A hostile server: what it says when somebody comes, and to each line. */
export interface Hostile {
  readonly name: string;
  readonly comes?: (socket: Socket) => void;
  /** Octets to send; undefined: none. */
  readonly line?: (line: string, socket: Socket) => string | undefined;
  /** Says nothing whole: who waits for it waits long. */
  readonly patience?: true;
  /** Tried at level active too. */
  readonly active?: boolean;
  /** What must be known of it all the same. */
  readonly speaks?: 'smtp' | 'imap' | 'pop3' | 'sieve';
}

/** Listens on loopback; all its connections end with it. */
export async function startHostile(
  hostile: Hostile,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    hostile.comes?.(socket);
    let rest = '';
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = (lines.pop() ?? '').slice(-10_000);
      for (const line of lines) {
        const reply = hostile.line?.(line.replace(/\r$/, ''), socket);
        if (reply !== undefined && reply !== '') socket.write(reply, 'latin1');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const MEGABYTE = 1_048_576;

/** Writes on and on, as fast as the other side reads, until it is gone or `total` octets went. */
function pours(piece: string, total = Number.POSITIVE_INFINITY): (socket: Socket) => void {
  return (socket) => {
    const octets = Buffer.from(piece, 'latin1');
    let left = total;
    const pour = (): void => {
      while (!socket.destroyed && left > 0) {
        left -= octets.length;
        if (!socket.write(octets)) return void socket.once('drain', pour);
      }
    };
    pour();
  };
}

/** One octet every few milliseconds, so many times over. */
function trickles(
  text: string,
  everyMs: number,
  times = Number.POSITIVE_INFINITY,
): (socket: Socket) => void {
  return (socket) => {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed || at === text.length * times) clearInterval(timer);
      else socket.write(text[at++ % text.length] ?? '');
    }, everyMs);
  };
}

const says =
  (text: string) =>
  (socket: Socket): void =>
    void socket.write(text, 'latin1');

/** SMTP that is well behaved but for what a test says. */
function smtp(own: (line: string, socket: Socket) => string | undefined): Hostile['line'] {
  return (line, socket) => {
    const said = own(line, socket);
    if (said !== undefined) return said;
    if (/^(?:EHLO|HELO)/i.test(line)) return '250-mock.test\r\n250 PIPELINING\r\n';
    if (/^QUIT/i.test(line)) return '221 2.0.0 bye\r\n';
    return '502 5.5.1 no\r\n';
  };
}

const GREETING = says('220 mock.test ESMTP\r\n');
/** Clears the screen, names the window, hides text, rings, writes over, in seven bits and in eight. */
const ESCAPES = '\x1b[2J\x1b[H\x1b]0;owned\x07\x1b[8mhidden\x9b31m\x90q\x9c\b\b\b\rfooled\x7f\x00';

const imap =
  (own: (tag: string, word: string, socket: Socket) => string | undefined): Hostile['line'] =>
  (line, socket) => {
    const [tag = '', word = ''] = line.split(' ');
    return own(tag, word.toUpperCase(), socket) ?? `${tag} BAD no\r\n`;
  };

export const HOSTILE: readonly Hostile[] = [
  { name: 'a banner without end, in lines', comes: pours('220-mock.test says hello\r\n') },
  {
    name: 'a banner of one line of a gigabyte',
    comes: pours('x'.repeat(65_536), 1_024 * MEGABYTE),
  },
  { patience: true, name: 'a banner octet by octet', comes: trickles('220 mock.test ESMTP ', 100) },
  {
    patience: true,
    name: 'a banner that never ends its line',
    comes: (socket) => {
      says('220 mock.test')(socket);
      trickles('.', 200)(socket);
    },
  },
  { patience: true, name: 'silence, and the connection stays', comes: () => undefined },
  {
    name: 'escape codes in every reply',
    comes: says(`220 mock.test ESMTP ${ESCAPES}\r\n`),
    line: (line) => {
      if (/^(?:EHLO|HELO)/i.test(line)) return `250-mock.test ${ESCAPES}\r\n250 ${ESCAPES}\r\n`;
      return `550 5.1.1 ${ESCAPES}${line}\r\n`;
    },
    active: true,
    speaks: 'smtp',
  },
  {
    name: 'an answer to EHLO without end',
    comes: GREETING,
    line: smtp((line, socket) => {
      if (!/^(?:EHLO|HELO)/i.test(line)) return undefined;
      pours('250-X-KEYWORD\r\n')(socket);
      return '';
    }),
  },
  {
    name: 'a hundred thousand keywords',
    comes: GREETING,
    line: smtp((line) =>
      /^EHLO/i.test(line)
        ? `${Array.from({ length: 100_000 }, (_, at) => `250-X${at}\r\n`).join('')}250 END\r\n`
        : undefined,
    ),
  },
  {
    name: 'answers that nobody asked for',
    comes: (socket) => {
      says('220 mock.test ESMTP\r\n250 2.0.0 yes\r\n354 go on\r\n250 2.1.5 ok\r\n')(socket);
      trickles('250 ok\r\n', 20)(socket);
    },
    line: () => '250 2.0.0 yes\r\n250 2.0.0 and again\r\n354 go on\r\n',
    active: true,
    speaks: 'smtp',
  },
  {
    name: 'STARTTLS, and then noise instead of TLS',
    comes: GREETING,
    line: smtp((line, socket) => {
      if (/^EHLO/i.test(line)) return '250-mock.test\r\n250 STARTTLS\r\n';
      if (!/^STARTTLS/i.test(line)) return undefined;
      says('220 2.0.0 go\r\n')(socket);
      pours('\x16\x03\x01\xff\xff\x02\x00\xff\xfc\x00\xff', MEGABYTE)(socket);
      return '';
    }),
    active: true,
    speaks: 'smtp',
  },
  {
    name: 'STARTTLS, and then silence',
    comes: GREETING,
    line: smtp((line) => {
      if (/^EHLO/i.test(line)) return '250-mock.test\r\n250 STARTTLS\r\n';
      return /^STARTTLS/i.test(line) ? '220 2.0.0 go\r\n' : undefined;
    }),
    speaks: 'smtp',
  },
  {
    name: 'a line of a gigabyte for every command',
    comes: GREETING,
    line: smtp((line, socket) => {
      if (/^EHLO/i.test(line)) return undefined;
      pours(`250 ${'y'.repeat(65_536)}`, 1_024 * MEGABYTE)(socket);
      return '';
    }),
    speaks: 'smtp',
  },
  {
    patience: true,
    name: 'replies octet by octet',
    comes: GREETING,
    line: (line, socket) => {
      const reply = /^EHLO/i.test(line)
        ? '250-mock.test\r\n250 PIPELINING\r\n'
        : '502 5.5.1 no\r\n';
      trickles(reply, 30, 1)(socket);
      return '';
    },
    speaks: 'smtp',
  },
  {
    name: 'IMAP: a literal of four gigabytes',
    comes: says('* OK [CAPABILITY IMAP4rev1] ready\r\n'),
    line: imap((tag) => `* CAPABILITY {4294967295}\r\nIMAP4rev1\r\n${tag} OK done\r\n`),
  },
  {
    name: 'IMAP: a literal that is longer than a number can be',
    comes: says('* OK [CAPABILITY IMAP4rev1] ready\r\n'),
    line: imap((tag) => `* ID {${'9'.repeat(400)}}\r\nx\r\n${tag} OK done\r\n`),
    active: true,
    speaks: 'imap',
  },
  {
    name: 'IMAP: a hundred thousand capabilities',
    comes: says('* OK ready\r\n'),
    line: imap((tag, word) => {
      if (word !== 'CAPABILITY') return undefined;
      const all = Array.from({ length: 100_000 }, (_, at) => `X${at}`).join(' ');
      return `* CAPABILITY IMAP4rev1 ${all}\r\n${tag} OK done\r\n`;
    }),
  },
  {
    name: 'IMAP: untagged lines without end, with escape codes',
    comes: says(`* OK ${ESCAPES} ready\r\n`),
    line: imap((_tag, _word, socket) => {
      pours(`* ${ESCAPES} EXISTS\r\n`)(socket);
      return '';
    }),
  },
  {
    name: 'POP3: a listing without end',
    comes: says(`+OK ${ESCAPES} ready\r\n`),
    line: (line, socket) => {
      if (!/^CAPA/i.test(line)) return '-ERR no\r\n';
      says('+OK\r\n')(socket);
      pours('..X\r\n')(socket);
      return '';
    },
  },
  {
    name: 'ManageSieve: literals that never come, and capabilities without end',
    comes: says(
      '"IMPLEMENTATION" "mock"\r\n"SIEVE" "fileinto"\r\n"SASL" "PLAIN"\r\nOK "ready"\r\n',
    ),
    line: (line, socket) => {
      if (/^CAPABILITY/i.test(line)) pours('"X" "y"\r\n')(socket);
      return /^CAPABILITY/i.test(line) ? '' : 'NO {4294967295+}\r\nx';
    },
    speaks: 'sieve',
  },
  {
    name: 'ManageSieve: a greeting that is a literal of four gigabytes',
    comes: (socket) => {
      says('"IMPLEMENTATION" {4294967295}\r\n')(socket);
      pours('z'.repeat(65_536))(socket);
    },
  },
  {
    patience: true,
    name: 'HTTP',
    comes: () => undefined,
    line: () => 'HTTP/1.1 400 Bad Request\r\n\r\n',
  },
  { name: 'an end at once', comes: (socket) => void socket.end() },
  { name: 'a reset at once', comes: (socket) => void socket.resetAndDestroy() },
];
