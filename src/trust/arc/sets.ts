/** ARC Sets (RFC 8617 4.2): the three fields of each instance, found and checked for structure. */

import type { Field } from '#message/fields.ts';
import type { SignedHead } from '#trust/dkim/header.ts';
import { parseTagList } from '#trust/dkim/tags.ts';
import type { Tags } from '#trust/dkim/signature.ts';

/** One complete set; nothing in it is verified. */
export interface ArcSet {
  readonly instance: number;
  readonly results: Field;
  /** What stands after `i=...;` in ARC-Authentication-Results, unfolded, octets as latin1. */
  readonly resultsText: string;
  readonly message: Field;
  readonly messageTags: Tags;
  readonly seal: Field;
  readonly sealTags: Tags;
}

export type ArcSets =
  | { readonly kind: 'none' }
  /** Instances 1 to N without gaps, each complete, each `cv=` as it must be. */
  | { readonly kind: 'chain'; readonly sets: readonly ArcSet[] }
  | { readonly kind: 'broken'; readonly reason: string; readonly state: ChainState };

/** What a sealer has to know of a chain that is no good (RFC 8617 5.1). */
export interface ChainState {
  /** The highest instance that could be read; 0: none. */
  readonly highest: number;
  /** The seal with that instance says `cv=fail`: the chain is over, nobody adds to it. */
  readonly sealedFail: boolean;
}

export interface ArcLimits {
  /** Octets of all ARC fields together: each seal is over all those before it. */
  readonly arcBytes?: number;
}

export const INSTANCES = 50;
const ARC_BYTES = 262_144;

/** The place of one instance while it is put together. */
interface Draft {
  results?: { readonly field: Field; readonly text: string };
  message?: { readonly field: Field; readonly tags: Tags };
  seal?: { readonly field: Field; readonly tags: Tags };
}

/** Collects the sets of a head (RFC 8617 5.2 steps 1 to 3). Never fails. */
export function readArcSets(head: SignedHead, limits: ArcLimits = {}): ArcSets {
  const results = head.named('arc-authentication-results');
  const messages = head.named('arc-message-signature');
  const seals = head.named('arc-seal');
  const all = [...results, ...messages, ...seals];
  if (all.length === 0) return { kind: 'none' };
  const lost = { highest: INSTANCES, sealedFail: false };
  if (all.length > INSTANCES * 3) return broken('there are more than 50 ARC sets', lost);
  const bytes = all.reduce((sum, field) => sum + field.end - field.start, 0);
  if (bytes > (limits.arcBytes ?? ARC_BYTES)) return broken('the ARC fields are too long', lost);
  const drafts = new Map<number, Draft>();
  let reason: string | undefined;
  for (const field of results) reason ??= takeResults(field, drafts);
  for (const field of messages) reason ??= takeTagged(field, drafts, 'message');
  for (const field of seals) reason ??= takeTagged(field, drafts, 'seal');
  const highest = Math.max(0, ...drafts.keys());
  const sealedFail = drafts.get(highest)?.seal?.tags.get('cv')?.value === 'fail';
  const state = { highest, sealedFail };
  if (reason !== undefined) return broken(reason, state);
  if (sealedFail) return broken('the last seal says cv=fail', state);
  const sets = completeSets(drafts, highest);
  return typeof sets === 'string' ? broken(sets, state) : { kind: 'chain', sets };
}

function takeResults(field: Field, drafts: Map<number, Draft>): string | undefined {
  const semicolon = field.value.indexOf(';');
  const start = semicolon === -1 ? '' : field.value.slice(0, semicolon);
  const instance = readInstance(/^i[ \t]*=[ \t]*(\d{1,3})[ \t]*$/.exec(start)?.[1]);
  if (instance === undefined) return 'ARC-Authentication-Results has no instance';
  const draft = draftOf(drafts, instance);
  if (draft.results !== undefined) return 'an ARC-Authentication-Results comes twice';
  draft.results = { field, text: field.value.slice(semicolon + 1).trimStart() };
  return undefined;
}

function takeTagged(
  field: Field,
  drafts: Map<number, Draft>,
  part: 'message' | 'seal',
): string | undefined {
  const list = parseTagList(field.raw);
  const name = part === 'seal' ? 'ARC-Seal' : 'ARC-Message-Signature';
  if (list.kind === 'bad') return `${name}: ${list.why}`;
  const instance = readInstance(list.tags.get('i')?.value);
  if (instance === undefined) return `${name} has no instance`;
  const draft = draftOf(drafts, instance);
  if (draft[part] !== undefined) return `an ${name} comes twice`;
  draft[part] = { field, tags: list.tags };
  return undefined;
}

/** RFC 8617 5.2 step 3: complete, without gaps, `cv=none` first and `cv=pass` after it. */
function completeSets(drafts: Map<number, Draft>, highest: number): ArcSet[] | string {
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= highest; instance++) {
    const { results, message, seal } = drafts.get(instance) ?? {};
    if (results === undefined || message === undefined || seal === undefined) {
      return `the ARC set ${instance} is not complete`;
    }
    const wanted = instance === 1 ? 'none' : 'pass';
    if (seal.tags.get('cv')?.value !== wanted) return `the seal ${instance} is not cv=${wanted}`;
    if (seal.tags.has('h')) return `the seal ${instance} has an h=`;
    sets.push({
      instance,
      results: results.field,
      resultsText: results.text,
      message: message.field,
      messageTags: message.tags,
      seal: seal.field,
      sealTags: seal.tags,
    });
  }
  return sets;
}

function draftOf(drafts: Map<number, Draft>, instance: number): Draft {
  const there = drafts.get(instance);
  if (there !== undefined) return there;
  const draft: Draft = {};
  drafts.set(instance, draft);
  return draft;
}

/** RFC 8617 4.2.1: 1 to 50. */
function readInstance(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,3}$/.test(text)) return undefined;
  const instance = Number(text);
  return instance >= 1 && instance <= INSTANCES ? instance : undefined;
}

function broken(reason: string, state: ChainState): ArcSets {
  return { kind: 'broken', reason, state };
}
