/** Breaks critical lines, one at a time, and shows that something turns red: `node test/fuzz/mutants.ts`. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ROOT } from '../laws/tree.ts';
import { type Change, MUTANT } from './mutant-hook.ts';

interface Mutant extends Change {
  readonly what: string;
  /** A fuzz target, or test files. */
  readonly target?: string;
  readonly tests?: readonly string[];
}

const CONTENT = 'src/protocol/smtp/server/content.ts';
const MUTANTS: readonly Mutant[] = [
  {
    what: 'a bare LF in DATA is taken for a line end',
    file: CONTENT,
    from: "if (found === LF) return stop(false, 'bare-lf');",
    to: "if (found === LF) { this.#position = 'start'; break; }",
    target: 'smtp-server',
  },
  {
    what: 'a bare CR in DATA is let through',
    file: CONTENT,
    from: "if (octet !== LF) return stop(false, 'bare-cr');",
    to: "if (octet !== LF) { this.#position = 'middle'; break; }",
    target: 'smtp-server',
  },
  {
    what: 'CRLF.LF ends DATA',
    file: CONTENT,
    from: "from = index;\n            return stop(false, 'bare-lf');",
    to: 'from = index; return stop(true);',
    target: 'smtp-server',
  },
  {
    what: 'dots of DATA stay doubled',
    file: CONTENT,
    from: "from = index + 1;\n            this.#position = 'dot';",
    to: "from = index; this.#position = 'dot';",
    target: 'smtp-server',
  },
  {
    what: 'a chunk of BDAT takes what is behind it',
    file: CONTENT,
    from: 'const length = Math.min(bytes.length, this.#remaining);',
    to: 'const length = bytes.length;',
    target: 'smtp-server',
  },
  {
    what: 'octets behind STARTTLS are not looked at',
    file: 'src/protocol/smtp/server/machine.ts',
    from: "case 'start-tls':\n        if (this.#conv.input.buffered > 0) {",
    to: "case 'start-tls':\n        if (false) {",
    target: 'smtp-server',
  },
  {
    what: 'what was said in clear counts after STARTTLS',
    file: 'src/protocol/smtp/server/session.ts',
    from: "this.phase = 'start';",
    to: "this.phase = 'ready';",
    target: 'smtp-server',
  },
  {
    what: 'EHLO leaves the transaction open',
    file: 'src/protocol/smtp/server/session.ts',
    from: 'this.drop();\n    this.helo = name;',
    to: 'this.helo = name;',
    target: 'smtp-server',
  },
  {
    what: 'mail without a login where one is required',
    file: 'src/protocol/smtp/server/commands/mail.ts',
    from: 'settings.requireAuth && state.authenticated === undefined',
    to: 'false',
    target: 'smtp-server',
  },
  {
    what: 'our own dots are not doubled on the way out',
    file: 'src/protocol/smtp/client/wire-text.ts',
    from: 'if (fresh && this.#stuff && piece[start] === DOT) return start;',
    to: '',
    target: 'smtp-client',
  },
  {
    what: 'a bare LF ends a reply line of a server',
    file: 'src/protocol/smtp/client/reply-parser.ts',
    from: "if (line.at(-2) !== CR) return this.#end('a bare LF', line);",
    to: '',
    tests: ['src/protocol/smtp/client/reply-parser.test.ts'],
  },
  {
    what: 'a literal of IMAP is one octet shorter',
    file: 'src/protocol/imap/framing.ts',
    from: 'count: literal.size',
    to: 'count: literal.size - 1',
    tests: ['src/protocol/imap/framing.test.ts'],
  },
  {
    what: 'quotes in IMAP strings are not escaped',
    file: 'src/protocol/imap/format/string.ts',
    from: "text.replace(/[\\\\\"]/g, '\\\\$&')",
    to: 'text',
    target: 'imap-syntax',
  },
  {
    what: 'passwords without TLS',
    file: 'src/protocol/sasl/offer.ts',
    from: 'if (secure === undefined) return [];',
    to: 'if (secure === undefined) return ALL;',
    tests: ['src/protocol/sasl/mechanisms.test.ts', 'src/protocol/imap/login.test.ts'],
  },
  {
    what: 'an open relay',
    file: 'src/policy/relay.ts',
    from: 'if (facts.login !== undefined)',
    to: 'if (true)',
    tests: ['src/policy/restrictions/gate.test.ts'],
  },
  {
    what: 'pointers of DNS names are followed for ever',
    file: 'src/network/dns/inspect.ts',
    from: 'if (jumps > JUMPS) return undefined;',
    to: '',
    target: 'dns',
  },
  {
    what: 'line ends in the values of our own fields',
    file: 'src/message/field-text.ts',
    from: ".replace(/[\\x00-\\x1f\\x7f\\u0085\\u2028\\u2029]+/g, ' ')",
    to: '',
    target: 'words',
  },
  {
    what: 'a terminal obeys what strangers said',
    file: 'src/command/io.ts',
    from: '.replace(UNSAFE, (character) => visible(character))',
    to: '',
    target: 'terminal',
  },
  {
    what: 'the parts of a message depend on how it was cut',
    file: 'src/message/scanner.ts',
    from: 'if (length > 0) this.#endedInCr = chunk[length - 1] === CR;',
    to: '',
    target: 'message',
  },
  {
    what: 'a second From may be put on top of a signed one',
    file: 'src/trust/dkim/sign.ts',
    from: 'Array<string>(times(name) + 1)',
    to: 'Array<string>(times(name))',
    target: 'trust-heads',
  },
  {
    what: 'lines that only some read as results of ours stay',
    file: 'src/trust/results/ours.ts',
    from: 'return [...fields, ...odd]',
    to: 'return [...fields]',
    target: 'trust-heads',
  },
  {
    what: 'DMARC passes although nothing is aligned',
    file: 'src/trust/dmarc/evaluate.ts',
    from: 'if (passed.aligned.length > 0) {',
    to: 'if (passed.aligned.length >= 0) {',
    target: 'trust-records',
  },
  {
    what: 'each line of a head looks for a CR again',
    file: 'src/message/fields.ts',
    from: 'if (this.#cr < this.end) this.#cr',
    to: 'this.#cr',
    tests: ['src/message/hostile.test.ts'],
  },
];

const [wanted = ''] = process.argv.slice(2);
let alive = 0;
let killed = 0;
for (const mutant of MUTANTS.filter(({ what }) => what.includes(wanted))) {
  const from = performance.now();
  const red = run(mutant);
  if (red) killed += 1;
  else alive += 1;
  const by = mutant.target ?? mutant.tests?.map((file) => path.basename(file)).join(' ');
  const took = ((performance.now() - from) / 1_000).toFixed(1);
  process.stdout.write(`${red ? 'killed' : 'ALIVE '} ${mutant.what} (${by}, ${took} s)\n`);
}
process.stdout.write(`${killed} passed, ${alive} failed\n`);
process.exitCode = alive === 0 ? 0 : 1;

/** Whether the mutant was seen; a hang is seen too. */
function run({ file, from, to, target, tests }: Mutant): boolean {
  const fuzz = ['test/fuzz/run.ts', '--seconds', '20', '--seed', '1', '--target', target ?? ''];
  const suite = ['--test', '--test-isolation=none', '--test-reporter=dot', ...(tests ?? [])];
  const hook = path.join(ROOT, 'test/fuzz/mutant-hook.ts');
  const change: Change = { file, from, to };
  const done = spawnSync(
    process.execPath,
    ['--import', hook, ...(target === undefined ? suite : fuzz)],
    {
      cwd: ROOT,
      env: { ...process.env, [MUTANT]: JSON.stringify(change) },
      encoding: 'utf8',
      timeout: 45_000,
      killSignal: 'SIGKILL',
    },
  );
  if (`${done.stdout}${done.stderr}`.includes("the mutant's place is not in")) {
    throw new Error(`${file} has changed: ${from}`);
  }
  return done.status !== 0;
}
