/** The 7-bit form of UTF-8 addresses in reports: `\x{6A5F}` for a character (RFC 6533 3). */

const EMBEDDED = /\\x\{([0-9A-Fa-f]{2,6})\}/g;

/** An address as utf-8-addr-xtext: all but QCHAR embedded, so that it is printable ASCII. */
export function encodeUnitext(address: string): string {
  let out = '';
  for (const character of address.toWellFormed()) {
    const plain = /^[!-*,-<>-[\]-~]$/.test(character);
    out += plain ? character : embedded(character.codePointAt(0) ?? 0);
  }
  return out;
}

/** The reverse; what is no embedded character, or would be a control character, stays as it is. */
export function decodeUnitext(text: string): string {
  return text.replace(EMBEDDED, (whole, digits: string) => {
    const code = Number.parseInt(digits, 16);
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || surrogate || code > 0x10_ffff) {
      return whole;
    }
    return String.fromCodePoint(code);
  });
}

function embedded(code: number): string {
  return `\\x{${code.toString(16).toUpperCase().padStart(2, '0')}}`;
}
