/** Base64 in header fields, as octets. */

/** Octets of base64 text; undefined for anything else. */
export function base64Octets(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
