/** Configuration files of lines `name = value`, with blocks: what Dovecot and Exim have in common. */

export interface Setting {
  /** Names of the blocks around it and its own, with `/` between: `service auth/unix_listener x/mode`. */
  readonly path: string;
  readonly value: string;
  readonly line: number;
}

const LINES = 100_000;
const DEPTH = 20;

/** What the lines of a file set; lines of other kinds are passed over. Never throws. */
export function readSettings(text: string): readonly Setting[] {
  const settings: Setting[] = [];
  const blocks: string[] = [];
  for (const [index, { line, content }] of joined(text).entries()) {
    if (index > LINES) break;
    if (content === '}') {
      blocks.pop();
      continue;
    }
    const equals = content.indexOf('=');
    const brace = content.indexOf('{');
    if (brace > 0 && (equals === -1 || brace < equals)) {
      // A block of one line holds nothing that is judged here.
      if (!content.endsWith('}') && blocks.length < DEPTH) {
        blocks.push(content.slice(0, brace).trim());
      }
      continue;
    }
    if (equals <= 0) continue;
    const name = content.slice(0, equals).trim();
    settings.push({
      path: [...blocks, name].join('/'),
      value: unquoted(content.slice(equals + 1)),
      line,
    });
  }
  return settings;
}

/** The last setting of that path. */
export function settingOf(settings: readonly Setting[], path: string): Setting | undefined {
  return settings.findLast((one) => one.path === path);
}

/** Comments and empty lines left out, lines that end in a backslash joined. */
function joined(text: string): { line: number; content: string }[] {
  const found: { line: number; content: string }[] = [];
  let open = false;
  for (const [index, raw] of text.split(/\r?\n/, LINES).entries()) {
    const content = raw.trim();
    if (!open && (content === '' || content.startsWith('#'))) continue;
    const more = content.endsWith('\\');
    const part = more ? content.slice(0, -1).trim() : content;
    const last = found.at(-1);
    if (open && last !== undefined) last.content += ` ${part}`;
    else found.push({ line: index + 1, content: part });
    open = more;
  }
  return found;
}

function unquoted(text: string): string {
  const value = text.trim();
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted?.[2] ?? value;
}
