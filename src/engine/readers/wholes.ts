/** Whole messages, several by one statement: their octets come as one value. */

import type { ContentId } from '#base/brand.ts';
import { NO_BYTES } from '#base/bytes.ts';
import { checkNumber } from '../checks.ts';
import type { Connection } from '../connection.ts';

/** Those whose body lies in a file are not found. */
const WHOLES = `SELECT json_group_array(size_bytes), json_group_array(checked),
  CAST(group_concat(head || coalesce(bytes, ''), '') AS BLOB)
  FROM json_each(?) AS asked LEFT JOIN contents ON contents.id = asked.value AND file IS NULL
  LEFT JOIN octets ON octets.content = contents.id`;

type Packed = readonly [sizes: string, checks: string, octets: Uint8Array | null];

/** In the order asked for; undefined for what lies in a file, is not as it was written, or gone. */
export function wholesOf(
  sql: Connection,
  contents: readonly ContentId[],
): readonly (Uint8Array | undefined)[] {
  const row = sql.row<Packed>(WHOLES, `[${contents.join(',')}]`);
  if (row === undefined) return [];
  const checks = JSON.parse(row[1]) as readonly (number | null)[];
  const octets = row[2] ?? NO_BYTES;
  let from = 0;
  return (JSON.parse(row[0]) as readonly (number | null)[]).map((size, at) => {
    if (size === null) return undefined;
    from += size;
    const whole = octets.subarray(from - size, from);
    return checkNumber(whole) === checks[at] ? whole : undefined;
  });
}
