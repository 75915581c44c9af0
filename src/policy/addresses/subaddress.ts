/** Subaddresses (RFC 5233): `user+detail`. */

/**
 * A local part's value in two: `detail` is undefined when no delimiter stands behind at least
 * one character. `delimiters` are single characters; the first one in the text counts.
 */
export function splitDetail(
  local: string,
  delimiters: string,
): { local: string; detail: string | undefined } {
  for (let index = 1; index < local.length; index += 1) {
    if (!delimiters.includes(local.charAt(index))) continue;
    return { local: local.slice(0, index), detail: local.slice(index + 1) };
  }
  return { local, detail: undefined };
}
