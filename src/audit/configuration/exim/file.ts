/** Exim's configuration as far as it is plain: macros, settings of the main part, ACLs, authenticators. */

import type { Setting } from '../settings-file.ts';

/** A condition or modifier of a statement: `hosts = *`; `!hosts` where it is negated. */
export interface Condition {
  readonly name: string;
  readonly value: string;
}

/** One statement of an ACL. */
export interface Statement {
  readonly verb: string;
  readonly conditions: readonly Condition[];
  readonly line: number;
}

export interface EximFile {
  /** Settings of the main part: `smtp_banner`, `hostlist relay_from_hosts`; a switch is `true` or `false`. */
  readonly main: readonly Setting[];
  readonly acls: ReadonlyMap<string, readonly Statement[]>;
  /** By name, the options of each. */
  readonly authenticators: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const LINES = 100_000;
const MACROS = 1_000;
const WIDTH = 100_000;

/** Reads a file, or what `exim -bP config` prints. What is not known is passed over; never throws. */
export function readExim(text: string): EximFile {
  const main: Setting[] = [];
  const acls = new Map<string, Statement[]>();
  const authenticators = new Map<string, Map<string, string>>();
  let part = 'main';
  let statements: Statement[] | undefined;
  let options: Map<string, string> | undefined;
  for (const { line, content } of effective(text)) {
    const begun = /^begin[ \t]+([a-z]+)$/.exec(content)?.[1];
    const named = /^([A-Za-z0-9_]+):$/.exec(content)?.[1];
    if (begun !== undefined) part = begun;
    else if (part === 'main') main.push(...settingIn(content, line));
    else if (part === 'acl' && named !== undefined) acls.set(named, (statements = []));
    else if (part === 'acl' && statements !== undefined) addTo(statements, content, line);
    else if (part === 'authenticators' && named !== undefined) {
      authenticators.set(named, (options = new Map()));
    } else if (part === 'authenticators') {
      for (const { path, value } of settingIn(content, line)) options?.set(path, value);
    }
  }
  return { main, acls, authenticators };
}

/** Members of a list: `:` between them, or what stands behind `<`; a doubled one is part of a member. */
export function listOf(text: string): readonly string[] {
  const [, other] = /^\s*<([^\sA-Za-z0-9])/.exec(text) ?? [];
  const separator = other ?? ':';
  const rest = other === undefined ? text : text.slice(text.indexOf('<') + 2);
  const members: string[] = [];
  let member = '';
  for (let at = 0; at < rest.length; at += 1) {
    const sign = rest.charAt(at);
    if (sign !== separator) member += sign;
    else if (rest.charAt(at + 1) === separator) {
      member += sign;
      at += 1;
    } else {
      members.push(member.trim());
      member = '';
    }
  }
  return [...members, member.trim()].filter((one) => one !== '');
}

/** `name = value`, `name`, `no_name`, `not_name`; lists with their kind before the name. */
function settingIn(content: string, line: number): readonly Setting[] {
  const equals = content.indexOf('=');
  if (equals > 0) {
    const path = content
      .slice(0, equals)
      .trim()
      .replace(/^hide[ \t]+/, '');
    return [{ path, value: unquoted(content.slice(equals + 1)), line }];
  }
  const [, no, name] = /^(?:hide[ \t]+)?(no_|not_)?([a-z0-9_]+)$/.exec(content) ?? [];
  if (name === undefined) return [];
  return [{ path: name, value: no === undefined ? 'true' : 'false', line }];
}

const VERB = /^(accept|defer|deny|discard|drop|require|warn)\b/;

/** A verb begins a statement; what stands behind it, or below it, is one condition of it. */
function addTo(statements: Statement[], content: string, line: number): void {
  const verb = VERB.exec(content)?.[1];
  const last = statements.at(-1);
  const conditions = verb === undefined ? [...(last?.conditions ?? [])] : [];
  const rest = verb === undefined ? content : content.slice(verb.length).trim();
  const [, no = '', name, value = ''] = /^(!?)[ \t]*([a-z_]+)[ \t]*=?(.*)$/.exec(rest) ?? [];
  if (name !== undefined) conditions.push({ name: `${no}${name}`, value: value.trim() });
  if (verb !== undefined) statements.push({ verb, conditions, line });
  else if (last !== undefined) statements.splice(-1, 1, { ...last, conditions });
}

/** Lines that count: joined, macros put in, and without what `.ifdef` leaves out. */
function effective(text: string): { line: number; content: string }[] {
  const macros = new Map<string, string>();
  /** For each `.ifdef` that is open: whether its lines count, and whether some did. */
  const open: { counts: boolean; done: boolean }[] = [];
  const found: { line: number; content: string }[] = [];
  for (const { line, content } of joined(text)) {
    const [, word, name = ''] = /^\.([a-z]+)(?:[ \t]+(.*))?$/.exec(content) ?? [];
    if (word !== undefined) branch(open, word, substituted(name, macros) !== name);
    else if (open.every(({ counts }) => counts)) {
      const [, macro, value = ''] = /^([A-Z][A-Za-z0-9_]*)[ \t]*==?(.*)$/.exec(content) ?? [];
      if (macro === undefined) found.push({ line, content: substituted(content, macros) });
      else if (macros.size < MACROS) macros.set(macro, substituted(value.trim(), macros));
    }
  }
  return found;
}

function branch(open: { counts: boolean; done: boolean }[], word: string, known: boolean): void {
  const last = open.at(-1);
  if (word === 'ifdef' || word === 'ifndef') {
    const counts = known === (word === 'ifdef');
    open.push({ counts, done: counts });
  } else if (word === 'endif') open.pop();
  else if (last !== undefined && word.startsWith('el')) {
    const wanted = word === 'else' || known === (word === 'elifdef');
    last.counts = wanted && !last.done;
    last.done ||= last.counts;
  }
}

/** Macros are put in wherever their names stand, in the order in which they were defined. */
function substituted(text: string, macros: ReadonlyMap<string, string>): string {
  let result = text;
  for (const [name, value] of macros) {
    if (result.includes(name)) result = result.replaceAll(name, () => value).slice(0, WIDTH);
  }
  return result;
}

/** Comments and empty lines left out, lines that end in a backslash joined. */
function joined(text: string): { line: number; content: string }[] {
  const found: { line: number; content: string }[] = [];
  let more = false;
  for (const [index, raw] of text.split(/\r?\n/, LINES).entries()) {
    const content = raw.trim();
    if (content.startsWith('#') || (content === '' && !more)) continue;
    const goesOn = content.endsWith('\\');
    const part = goesOn ? content.slice(0, -1) : content;
    const last = found.at(-1);
    if (more && last !== undefined) last.content = `${last.content}${part}`.slice(0, WIDTH);
    else found.push({ line: index + 1, content: part });
    more = goesOn;
  }
  return found;
}

function unquoted(text: string): string {
  const value = text.trim();
  return /^"(.*)"$/.exec(value)?.[1] ?? value;
}
