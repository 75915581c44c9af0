/** ID (RFC 2971): we say our name and no version; what the client says is for the log. */

import { parseUtf8 } from '#base/bytes.ts';
import { ANY, type Command } from '../command.ts';
import { bad, ok } from '../completion.ts';

/** RFC 2971 3.3: at most 30 pairs, fields of 30 and values of 1024 octets. */
const PAIRS = 30;
const FIELD_OCTETS = 30;
const VALUE_OCTETS = 1_024;

export const id: Command<ReadonlyMap<string, string>> = {
  name: 'ID',
  phases: ANY,
  news: 'if-any',
  parse(cursor) {
    cursor.space();
    const fields = new Map<string, string>();
    if (cursor.peek() !== '(') {
      if (cursor.keyword() !== 'NIL') throw bad('ID takes a list or NIL');
      return fields;
    }
    cursor.list(() => {
      const field = cursor.string();
      cursor.space();
      const value = cursor.nstring();
      if (field.length > FIELD_OCTETS || (value?.length ?? 0) > VALUE_OCTETS) {
        throw bad('The field or its value is too long');
      }
      const name = parseUtf8(field);
      const text = value === undefined ? undefined : parseUtf8(value);
      if (name !== undefined && text !== undefined) fields.set(name.toLowerCase(), text);
    }, PAIRS);
    return fields;
  },
  run(session, fields) {
    if (fields.size > 0) session.tell({ kind: 'client', fields });
    session.out.text('* ID ("name" "Postern")\r\n');
    return ok('ID completed');
  },
};
