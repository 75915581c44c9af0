/** Settings of which the last counts: a profile's line stands instead of our own. */

/** Drops lines whose name comes again further down; lines without a name stay. */
export function lastOfEach(
  lines: readonly string[],
  nameOf: (line: string) => string | undefined,
): string[] {
  const names = lines.map(nameOf);
  return lines.filter((_, at) => names[at] === undefined || names.lastIndexOf(names[at]) === at);
}
