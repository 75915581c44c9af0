/** Limits that several floors share; each is an option elsewhere with this as its default. */

/** Octets of a header block: larger ones are refused (5.3.4); to read one takes milliseconds. */
export const HEAD_BYTES = 262_144;
/** Fields of a header: more are refused (5.3.4); reading 100,000 would hold everybody up. */
export const HEAD_FIELDS = 10_000;
/** Content up to this size lives in the database, larger content in files. */
export const INLINE_BYTES = 32_768;
/** Received fields before a message counts as looping (RFC 5321 6.3 asks for at least 100). */
export const HOPS = 100;
