/** TLS as Received lines tell of it, in a dozen writings: the version and the cipher. */

import type { Read } from './line.ts';

export interface TlsRead {
  readonly tls: Read | undefined;
  readonly cipher: Read | undefined;
  readonly secured: boolean | undefined;
}

const VERSION = /\b(TLS|SSL)[ _-]?v?(\d)(?:[._](\d))?\b/i;
const CIPHER =
  /\b((?:TLS_|TLS13_|ECDHE|DHE|EDH|ADH|AECDH|AES|DES|RC4|RC2|IDEA|CHACHA|CAMELLIA|EXP|NULL|PSK)[A-Z0-9_-]{3,60})/i;
/** RFC 3848, RFC 6531 4.3: S is for TLS, A for a login. */
const REGISTERED = /^(?:UTF8)?(?:E?SMTP|LMTP)(S?)(A?)$/i;
const LOCAL = /^(?:local|mapi|http|https|httprest|pop3|imap|mmdf|bsmtp|nntp|stdin)/i;

/**
 * `comments` are those that do not describe the client (a client may call itself anything). What
 * a comment tells is sure; a registered name says yes or no; for other words the line is silent.
 */
export function readTls(withWords: string, comments: readonly string[]): TlsRead {
  const texts = [...comments, withWords];
  let tls: Read | undefined;
  let cipher: Read | undefined;
  for (const text of texts) {
    const version = VERSION.exec(text);
    if (version !== null && tls === undefined) tls = { text: versionName(version), ...SURE };
    const name = CIPHER.exec(text)?.[1];
    // `TLS_1_2` is a version.
    if (name !== undefined && cipher === undefined && !/^TLS_\d/i.test(name)) {
      cipher = { text: name, ...SURE };
    }
  }
  const registered = REGISTERED.exec(withWords.split(' ', 1)[0] ?? '');
  const claimed = registered === null ? undefined : registered[1] !== '';
  const starttls =
    /\bstarttls\b/i.test(withWords) || /^(?:e?smtp|https?)\/?(?:tls|s\b)/i.test(withWords);
  const secured =
    tls !== undefined || cipher !== undefined || starttls
      ? true
      : LOCAL.test(withWords)
        ? undefined
        : claimed;
  return { tls, cipher, secured };
}

/** Whether the protocol's name says that the client had logged in. */
export function saysLogin(withWords: string): boolean {
  return REGISTERED.exec(withWords.split(' ', 1)[0] ?? '')?.[2]?.toUpperCase() === 'A';
}

const SURE = { confidence: 'high' } as const;

/** `TLS1.2`, `TLS1.0`, `SSL3`. */
function versionName([, family = 'TLS', major = '', minor]: RegExpExecArray): string {
  const name = family.toUpperCase();
  if (name === 'SSL') return `SSL${major}`;
  return `TLS${major}.${minor ?? '0'}`;
}
