/** From the command line to a command: commander reads, the registry answers, errors become words. */

import { Command as Parser, CommanderError } from 'commander';
import { existsSync } from 'node:fs';
import { nearest } from '#base/nearest.ts';
import * as registry from './commands/index.ts';
import type { Command, Context } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import type { ExitStatus } from './exit.ts';
import type { Io } from './io.ts';
import { harmless, styled } from './io.ts';
import { environment } from './environment.ts';
import { report } from './report.ts';

/** Everything after `postern` on the command line; the exit status comes out. Never throws. */
export async function runProgram(
  words: readonly string[],
  io: Io,
  commands: readonly Command[] = Object.values(registry),
): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok;
  const parser = root(io);
  for (const command of commands) {
    add(parser, command, io, (done) => {
      status = done;
    });
  }
  const usage = commands.find(({ name }) => name === words[0])?.usageStatus ?? EXIT.usage;
  try {
    await parser.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : usage;
    const failed = report(error, io);
    return failed === EXIT.usage ? usage : failed;
  }
}

function root(io: Io): Parser {
  const parser = new Parser('postern');
  return (
    prepared(parser, io)
      // Otherwise the options behind `audit replay` would be taken for those of `audit`.
      .enablePositionalOptions()
      .description('A whole mail system in one program.')
      .usage('<command> [options]')
      .helpCommand('help [command]', 'explain a command')
      .addHelpText('after', '\nWithout a configuration, `postern serve` starts a demo on loopback.')
  );
}

function prepared(parser: Parser, io: Io): Parser {
  return parser
    .exitOverride()
    .helpOption('-h, --help', 'explain this command')
    .configureOutput({
      writeOut: (text) => io.write(text),
      writeErr: (text) => io.warn(text),
      getOutHasColors: () => io.colour,
      outputError: (text) => {
        const line = text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' ')
          .replace(/\.$/, '');
        const cure = line.includes('(Did you mean') ? '' : `. See \`${wordsOf(parser)} --help\`.`;
        io.warn(`${styled({ colour: io.colour }, 'red', 'postern:')} ${harmless(line)}${cure}\n`);
      },
    });
}

/** `postern account add`. */
function wordsOf(parser: Parser): string {
  const words: string[] = [];
  for (let at: Parser | null = parser; at !== null; at = at.parent) words.unshift(at.name());
  return words.join(' ');
}

function add(parent: Parser, command: Command, io: Io, finish: (status: ExitStatus) => void): void {
  const parser = prepared(parent.createCommand(command.name), io).summary(command.summary);
  parent.addCommand(parser);
  parser.description(command.details ?? `${command.summary}.`);
  for (const { name, summary, optional, many } of command.arguments ?? []) {
    const inner = many === true ? `${name}...` : name;
    parser.argument(optional === true ? `[${inner}]` : `<${inner}>`, summary);
  }
  for (const { flags, summary } of command.options ?? []) parser.option(flags, summary);
  if (command.examples !== undefined) {
    parser.addHelpText('after', `\nExamples:\n${command.examples.map((l) => `  ${l}\n`).join('')}`);
  }
  for (const inner of command.commands ?? []) add(parser, inner, io, finish);
  const { run } = command;
  if (run === undefined) {
    parser
      .helpCommand(false)
      .allowExcessArguments()
      // Options of the command that was meant: the word is the mistake.
      .allowUnknownOption()
      .action(() => {
        const word = parser.args.find((one) => !one.startsWith('-'));
        throw noSuchCommand(command, word);
      });
    return;
  }
  if (command.commands !== undefined) parser.enablePositionalOptions().helpCommand(false);
  parser.option('--config <file>', 'the configuration file');
  // `talk --data FILE`, as in swaks: it has nothing to do with our own data.
  if (!parser.options.some(({ long }) => long === '--data')) {
    parser.option('--data <dir>', 'the data directory, instead of the configured one');
  }
  parser.option('--json', 'print JSON');
  parser.action(async () => {
    finish((await run(contextOf(parser, command, io))) ?? EXIT.ok);
  });
}

/** A group's name alone, or with a word that none of its commands has. */
function noSuchCommand(group: Command, word: string | undefined): CommandError {
  const names = (group.commands ?? []).map(({ name }) => name);
  const near = word === undefined ? undefined : nearest(word, names);
  const cause =
    word === undefined
      ? `${group.name} needs one of: ${names.join(', ')}`
      : `${group.name} has no command "${word}", only: ${names.join(', ')}`;
  const help = `See \`postern help ${group.name}\`.`;
  return new CommandError(EXIT.usage, cause, near === undefined ? help : `Did you mean ${near}?`);
}

function contextOf(parser: Parser, command: Command, io: Io): Context {
  const given = new Map<string, string>();
  let rest: readonly string[] = [];
  for (const [index, { name, many }] of (command.arguments ?? []).entries()) {
    const value: unknown = parser.processedArgs[index];
    if (many === true && Array.isArray(value)) rest = value.map(String);
    else if (typeof value === 'string') given.set(name, value);
  }
  const options = new Map<string, string | true>();
  for (const declared of parser.options) {
    const value: unknown = parser.getOptionValue(declared.attributeName());
    const name = declared.long?.slice(2) ?? declared.attributeName();
    if (typeof value === 'string' || value === true) options.set(name, value);
  }
  const base = { io, json: options.has('json'), given, rest, options, now: () => Date.now() };
  return { ...base, ...environment(options, io.env, existsSync) };
}
