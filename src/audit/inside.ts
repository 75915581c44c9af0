/** Names of the inside of a house: what is nobody's in the DNS, and so tells a stranger something. */

const INSIDE =
  /\.(?:local|localdomain|localhost|lan|internal|intranet|corp|home|home\.arpa|priv|private)\.?$/i;

/** Whether the top of a name is for inside use (RFC 6761, RFC 6762, RFC 8375, and by custom). */
export function isInsideName(name: string): boolean {
  return INSIDE.test(name);
}
