/** The Log for real: JSON, or short lines for people, some milliseconds of them in one write. */

import { destination, levels } from 'pino';
import type { JsonObject } from '#base/json.ts';
import type { Log, LogLevel } from '#base/world.ts';
import { styled } from '../io.ts';
import type { Style } from '../io.ts';
import { jsonLine, tamed, textLine } from './lines.ts';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly colour: boolean;
  /** Takes whole lines; the default is standard error. */
  readonly sink?: LineSink;
  readonly now?: () => number;
}

export interface LineSink {
  write(line: string): void;
  /** Called after what must not get lost, whatever happens next. */
  flush?(): void;
}

/** A Log; one line an event, at most 8 KiB. Never throws: a log that fails stops no mail. */
export function systemLog(options: LogOptions): Log {
  const sink = options.sink ?? standardError();
  const log = options.format === 'json' ? jsonLog(options, sink) : textLog(options, sink);
  return {
    event: (level, name, fields) => {
      log.event(level, name, fields);
      if (level === 'warn' || level === 'error') sink.flush?.();
    },
  };
}

function jsonLog(options: LogOptions, sink: LineSink): Log {
  const least = levels.values[options.level] ?? 0;
  const now = options.now ?? Date.now;
  return {
    event: (level, name, fields) => {
      if ((levels.values[level] ?? 0) < least) return;
      sink.write(jsonLine(level, name, renamed(fields), now()));
    },
  };
}

function textLog(options: LogOptions, sink: LineSink): Log {
  const least = levels.values[options.level] ?? 0;
  const now = options.now ?? Date.now;
  return {
    event: (level, name, fields) => {
      if ((levels.values[level] ?? 0) < least) return;
      const line = textLine(level, name, renamed(fields), now());
      const style = STYLES[level];
      sink.write(style === undefined ? line : `${styled(options, style, line.trimEnd())}\n`);
    },
  };
}

const STYLES: Readonly<Partial<Record<LogLevel, Style>>> = {
  debug: 'dim',
  warn: 'yellow',
  error: 'red',
};
const GATHERED_CHARACTERS = 65_536;
const GATHERED_MS = 5;
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'event']);

function renamed(fields: JsonObject | undefined): ReturnType<typeof tamed> {
  if (fields === undefined) return {};
  const tame = tamed(fields);
  if (tame['level'] === undefined && tame['time'] === undefined && tame['event'] === undefined) {
    return tame;
  }
  return Object.fromEntries(
    Object.entries(tame).map(([key, value]) => [RESERVED.has(key) ? `_${key}` : key, value]),
  );
}

/**
 * Lines of some milliseconds go out in one write: a write for each message would be a twentieth
 * of what a message costs. What warns, and the end of the process, wait for nothing.
 */
function standardError(): LineSink {
  const stream = destination({ fd: 2, sync: true });
  // Whoever read the log is gone: mail goes on.
  stream.on('error', () => undefined);
  let gathered = '';
  const flush = (): void => {
    if (gathered === '') return;
    const lines = gathered;
    gathered = '';
    process.off('exit', flush);
    stream.write(lines);
  };
  return {
    flush,
    write: (line) => {
      if (gathered === '') {
        process.once('exit', flush);
        setTimeout(flush, GATHERED_MS).unref();
      }
      gathered += line;
      if (gathered.length > GATHERED_CHARACTERS) flush();
    },
  };
}
