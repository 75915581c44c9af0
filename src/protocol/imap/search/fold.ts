/** Text as SEARCH compares it: without case, composed, white space as one blank (RFC 5255 4.2). */

/** Both sides of a comparison go through here. */
export function foldText(text: string): string {
  const plain = /^[\x00-\x7f]*$/.test(text) ? text : text.normalize('NFKC');
  return plain.toLowerCase().replace(/[ \t\r\n]+/g, ' ');
}
