/** A head with octets or lines that no conforming program sends (RFC 5321 2.3.8, RFC 5322 2.2). */

import type { DefectKind } from '#message/defects.ts';
import type { Sign } from '../case.ts';

const KINDS: ReadonlyMap<DefectKind, string> = new Map([
  ['nul', 'NUL'],
  ['bare-cr', 'CR without LF: readers disagree where the line ends'],
  ['bare-lf', 'LF without CR: readers disagree where the line ends'],
  ['orphan-continuation', 'a first line that begins with a blank'],
  ['space-before-colon', 'a blank before a colon: some readers see another field'],
  ['missing-colon', 'a line that is no field'],
  ['bad-field-name', 'a field name that is none'],
  ['not-utf8-head', 'octets that are no text'],
  ['long-line', 'a line of more than 998 octets'],
  ['too-many-fields', 'more fields than are read'],
]);

export const brokenOctets: Sign = {
  id: 'broken-octets',
  title: 'a head that no conforming program writes',
  strength: 'weak',
  innocent: 'home-made mailers, and programs that damage what they pass on',
  look: ({ specimen }) =>
    specimen.head.defects.flatMap(({ kind, count }) => {
      const what = KINDS.get(kind);
      return what === undefined
        ? []
        : [{ text: count > 1 ? `${what} (${count} times)` : what, quotes: [] }];
    }),
};
