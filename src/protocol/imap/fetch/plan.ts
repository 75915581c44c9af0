/** What a FETCH has to read and to show, worked out once for all its messages. */

import { fromLatin1 } from '#base/bytes.ts';
import { fieldPicker, type PickFields } from '#message/field-picker.ts';
import type { Detail, SummaryPart } from '#store/mail.ts';
import { ATTRIBUTES, type Attribute } from './attributes.ts';
import type { Item } from './items.ts';
import { isHead, needsParts } from './section.ts';

/** A section with what picks its fields when it names some. */
export type SectionItem = Extract<Item, { kind: 'section' }> & {
  readonly pick: PickFields | undefined;
  /** The label as it is written thousands of times. */
  readonly octets: Uint8Array;
};

export interface Plan {
  readonly attributes: readonly Attribute[];
  readonly sections: readonly SectionItem[];
  /** What summaries have to bring along when they have all that is asked for. */
  readonly summary: readonly SummaryPart[] | undefined;
  /** Set when of heads some fields are shown and nothing else: then summaries have just those. */
  readonly fields: ReadonlySet<string> | undefined;
  /** What whole rows have to bring along. */
  readonly details: readonly Detail[];
  readonly setsSeen: boolean;
  readonly showsFlags: boolean;
  readonly showsModSeq: boolean;
}

export function planFor(items: readonly Item[], readOnly: boolean): Plan {
  const attributes = new Map<string, Attribute>();
  const sections: SectionItem[] = [];
  const details = new Set<Detail>();
  for (const item of items) {
    if (item.kind === 'section') {
      const { section } = item;
      const { names, what } = section;
      const pick = names.size > 0 ? fieldPicker(names, what === 'fields') : undefined;
      sections.push({ ...item, pick, octets: fromLatin1(item.label) });
      if (needsParts(section)) details.add('parts');
      continue;
    }
    const attribute = ATTRIBUTES.get(item.name);
    if (attribute === undefined) continue;
    // Twice the same item is shown once.
    attributes.set(item.name, attribute);
    if (attribute.detail !== undefined) details.add(attribute.detail);
  }
  const setsSeen = !readOnly && sections.some((item) => !item.peek);
  const ofHeads = sections.every(({ section }) => isHead(section));
  const isSummary = ofHeads && !setsSeen && !details.has('parts');
  return {
    attributes: [...attributes.values()],
    sections,
    summary: isSummary ? summaryParts(attributes.values(), sections.length > 0) : undefined,
    fields: onlyFields(sections),
    details: [...details],
    setsSeen,
    showsFlags: attributes.has('FLAGS'),
    showsModSeq: attributes.has('MODSEQ'),
  };
}

function summaryParts(attributes: Iterable<Attribute>, ofHeads: boolean): readonly SummaryPart[] {
  const parts = new Set<SummaryPart>(ofHeads ? ['head'] : []);
  for (const { part } of attributes) if (part !== undefined) parts.add(part);
  return [...parts];
}

function onlyFields(sections: readonly SectionItem[]): ReadonlySet<string> | undefined {
  const [only, ...others] = sections;
  return only?.section.what === 'fields' && others.length === 0 ? only.section.names : undefined;
}
