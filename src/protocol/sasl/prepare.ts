/** Names and passwords in one form before they are compared (RFC 4013, SASLprep, a subset). */

const NON_ASCII_SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** RFC 3454 table B.1: mapped to nothing. */
const NOTHING = /\u034f|\u200d|[\u00ad\u1806\u180b-\u180d\u200c\u2060\ufeff]|[\ufe00-\ufe0f]/g;
/** RFC 4013 2.3: controls, private use, no characters, surrogates, bidi and tag controls. */
const PROHIBITED = new RegExp(
  String.raw`[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\u06dd\u070f\u180e` +
    String.raw`\u2061-\u2063\u0340\u0341\u200e\u200f\u202a-\u202e\u206a-\u206f\u2ff0-\u2ffb` +
    String.raw`\ufff9-\uffff\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]`,
  'u',
);
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/**
 * A login or a password in the form that is stored and compared: spaces and invisible characters
 * mapped, NFKC. Undefined when it is empty, longer than `maxOctets` of UTF-8, or has a character
 * that RFC 4013 prohibits. The check of text direction (RFC 4013 2.4) is left out: it protects
 * display, not comparison. Accounts are made with the same function.
 */
export function prepareSasl(text: string, maxOctets = 1024): string | undefined {
  if (text.length > maxOctets) return undefined;
  if (PRINTABLE_ASCII.test(text)) return text;
  const mapped = text.replace(NON_ASCII_SPACE, ' ').replace(NOTHING, '').normalize('NFKC');
  if (mapped === '' || PROHIBITED.test(mapped)) return undefined;
  return Buffer.byteLength(mapped) > maxOctets ? undefined : mapped;
}

/** Whether an authorization identity asks for nobody else: empty, or the login itself. */
export function authorizes(authzid: string, login: string): boolean {
  if (authzid === '') return true;
  return prepareSasl(authzid)?.toLowerCase() === login.toLowerCase();
}
