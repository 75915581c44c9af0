/** xtext: printable ASCII with `+HH` for the rest (RFC 3461 4). */

/** xtext to the text it stands for (octets as UTF-8), or undefined when it is no xtext. */
export function decodeXtext(text: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(text) || /=|\+(?![0-9A-F]{2})/.test(text)) return undefined;
  if (!text.includes('+')) return text;
  const octets = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const decoded = Buffer.from(octets, 'latin1');
  const value = decoded.toString('utf8');
  return Buffer.from(value, 'utf8').equals(decoded) ? value : undefined;
}

/** Text as xtext. */
export function encodeXtext(text: string): string {
  let out = '';
  for (const octet of Buffer.from(text, 'utf8')) {
    const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2b && octet !== 0x3d;
    out += plain
      ? String.fromCharCode(octet)
      : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
